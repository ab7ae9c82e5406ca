/** What of the Vagrant lab's settings matters to macvlab itself; all of them are for the Vagrantfile (vagrant/settings.rb). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';
import { packageFolder } from './package-folder.js';

/** Names of settings, as they are in the file. */
const names = ['provider', 'box', 'kernel', 'driver', 'uri', 'bridge'] as const;

export type Settings = Record<(typeof names)[number], string>;

/** The box that is macvlab's own. */
export const ownBox = 'macvlab';

/** The environment's name of a setting. */
export function variableOf(name: string): string {
  return `MACVLAB_VAGRANT_${name.toUpperCase()}`;
}

const schema = z.record(z.string(), z.union([z.string(), z.number(), z.null()])).nullable();

/** @throws MacvlabError USAGE when the file cannot be read */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const file = environment['MACVLAB_VAGRANT_SETTINGS'] ?? join(packageFolder, 'vagrant/settings.yaml');
  try {
    const given = schema.parse(parse(readFileSync(file, 'utf8'))) ?? {};
    const value = (name: string) => environment[variableOf(name)] ?? String(given[name] ?? '');
    return Object.fromEntries(names.map((name) => [name, value(name)])) as Settings;
  } catch (error) {
    throw new MacvlabError('USAGE', `the Vagrant lab’s settings cannot be read: ${messageOf(error)}`, {
      next: `mend ${file}, or unset MACVLAB_VAGRANT_SETTINGS`,
      cause: error,
    });
  }
}
