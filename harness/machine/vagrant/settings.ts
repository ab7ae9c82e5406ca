/** Reads the Vagrant lab's settings. macvlab uses some of them, and the Vagrantfile uses all (vagrant/settings.rb). */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';
import { readYaml } from '../../core/yaml.js';
import { packageFolder } from './package-folder.js';

/** macvlab's own box. */
export const ownBox = 'macvlab';

interface Rule {
  holds(value: string): boolean;
  /** The allowed values, for an error message. */
  words: string;
}

const anyText: Rule = { holds: () => true, words: 'a text' };
const oneOf = (...values: string[]): Rule => ({ holds: (value) => values.includes(value), words: values.join(' or ') });
const atLeast = (least: number): Rule => ({
  holds: (value) => /^\d+$/.test(value) && Number(value) >= least,
  words: `a number, at least ${least}`,
});

/** The allowed values of each setting, the same as in vagrant/settings.rb, which `vagrant up` uses. */
const rules = {
  provider: oneOf('libvirt', 'virtualbox'),
  box: { holds: (value) => value !== '', words: 'the name of a box' },
  memory: atLeast(128),
  cpus: atLeast(1),
  kernel: anyText,
  driver: oneOf('auto', 'kvm', 'qemu'),
  uri: anyText,
  management: oneOf('nat', 'none'),
  bridge: { holds: (value) => /^\s*(\S+\s+\S+\s*)?$/.test(value), words: 'two network cards, or none' },
} satisfies Record<string, Rule>;

type Name = keyof typeof rules;
const names = Object.keys(rules) as Name[];

export type Settings = Record<Name, string>;

/** The part of the machines' names that identifies this checkout (vagrant/settings.rb). */
export function checkoutName(): string {
  return createHash('sha256').update(realpathSync(packageFolder)).digest('hex').slice(0, 8);
}

/** The environment variable of a setting. */
export function variableOf(name: string): string {
  return `MACVLAB_VAGRANT_${name.toUpperCase()}`;
}

const schema = z.partialRecord(z.enum(names), z.union([z.string(), z.number(), z.null()])).nullable();

/**
 * Reads the settings: from the environment, else from the file that it names, else from the file that comes with the
 * lab.
 * @throws MacvlabError USAGE if a file cannot be read, a setting is unknown, or a value is not allowed
 */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const shipped = join(packageFolder, 'vagrant/settings.yaml');
  const file = environment['MACVLAB_VAGRANT_SETTINGS'] ?? shipped;
  const given = { ...readSettingsOf(shipped), ...readSettingsOf(file) };
  // Vagrant's own variable counts as well
  if (environment['VAGRANT_DEFAULT_PROVIDER']) given.provider = environment['VAGRANT_DEFAULT_PROVIDER'];
  const value = (name: Name) => environment[variableOf(name)] ?? String(given[name] ?? '');
  const settings = Object.fromEntries(names.map((name) => [name, value(name)])) as Settings;
  for (const name of names) {
    if (rules[name].holds(settings[name])) continue;
    throw new MacvlabError('USAGE', `the Vagrant lab’s setting ${name} is "${settings[name]}"`, {
      next: `give ${rules[name].words}, in ${file} or in ${variableOf(name)}`,
    });
  }
  refuseCombination(settings);
  return settings;
}

function readSettingsOf(file: string): z.infer<typeof schema> {
  try {
    const read = schema.safeParse(readYaml(readFileSync(file, 'utf8')).toJS());
    if (read.success) return read.data;
    throw new Error(z.prettifyError(read.error));
  } catch (error) {
    throw new MacvlabError('USAGE', `the Vagrant lab’s settings cannot be used: ${file}`, {
      evidence: messageOf(error),
      next: `mend ${file}, which may set ${names.join(', ')}; or unset MACVLAB_VAGRANT_SETTINGS`,
      cause: error,
    });
  }
}

function refuseCombination({ box, provider, kernel }: Settings): void {
  if (box === ownBox && provider !== 'libvirt') {
    throw new MacvlabError('USAGE', `the box ${ownBox} is for libvirt, and the provider is ${provider}`, {
      next: `choose a box that is for ${provider} too, such as ${variableOf('box')}=debian/bookworm64; or ${variableOf('provider')}=libvirt`,
    });
  }
  if (box !== ownBox && kernel !== '') {
    throw new MacvlabError('USAGE', `the box ${box} brings its own kernel: no other can be chosen`, {
      next: `leave the setting kernel empty, or use the box that can: ${variableOf('box')}=${ownBox}`,
    });
  }
}
