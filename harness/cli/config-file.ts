/** The configuration file `macvlab.config.yaml`: defaults for options of `macvlab run`. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../core/error.js';
import { readYaml } from '../core/yaml.js';
import { labNames } from '../lab/drivers.js';
import { guestCounts } from '../lab/vm/shapes.js';
import { macvlanModes } from '../link/macvlan.js';
import { keepChoices } from '../run/plan.js';
import { reporterNames } from './reporter-names.js';

/** Read from the current folder when it is there. */
export const configFileName = 'macvlab.config.yaml';

const reporter = z.enum(reporterNames);

const configSchema = z.strictObject({
  lab: z.enum(labNames).exactOptional(),
  /** A path is relative to the file's own folder. */
  kernel: z.string().min(1).exactOptional(),
  modules: z.string().min(1).exactOptional(),
  guests: z.union(guestCounts.map((count) => z.literal(count))).exactOptional(),
  image: z.string().min(1).exactOptional(),
  privileged: z.boolean().exactOptional(),
  /** Relative to the file's own folder. */
  inventory: z.string().min(1).exactOptional(),
  mode: z.enum(macvlanModes).exactOptional(),
  jobs: z.number().int().positive().exactOptional(),
  keep: z.enum(keepChoices).exactOptional(),
  bail: z.boolean().exactOptional(),
  /** Relative to the file's own folder. */
  out: z.string().min(1).exactOptional(),
  reporter: z.union([reporter.transform((name) => [name]), z.array(reporter).min(1)]).exactOptional(),
});

/** What may stand in the file; `reporter` is always a list once it is read, and `out` an absolute path. */
export type Config = z.infer<typeof configSchema>;

/** What each key may be, as it is told to who got it wrong. */
const allowed: Record<keyof Config, string> = {
  lab: labNames.join(', '),
  kernel: 'a version, a release, a suite, or the path of a kernel of your own',
  modules: 'a folder, relative to this file',
  guests: guestCounts.join(', '),
  image: 'the name of a container image',
  privileged: 'true, false',
  inventory: 'a file, relative to this one',
  mode: macvlanModes.join(', '),
  jobs: 'a whole number from 1',
  keep: keepChoices.join(', '),
  bail: 'true, false',
  out: 'a folder, relative to this file',
  reporter: `one or a list of ${reporterNames.join(', ')}`,
};

/**
 * Reads a configuration file.
 * @param file by default `macvlab.config.yaml` of the current folder, which need not be there
 * @throws MacvlabError USAGE naming the file, the key and what is allowed
 */
export function readConfig(file?: string): Config {
  const path = file ?? configFileName;
  const text = readText(path, file === undefined);
  if (text === undefined) return {};
  let document;
  try {
    document = readYaml(text);
  } catch (error) {
    throw wrong(path, 'it is not YAML', messageOf(error), 'mend the file at that place');
  }
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    throw wrong(path, 'it cannot be resolved', messageOf(error), 'write values out instead of using aliases');
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw refuse(path, parsed.error, value);
  const { out, kernel, modules, inventory } = parsed.data;
  const fromHere = (file: string) => resolve(dirname(path), file);
  return {
    ...parsed.data,
    ...(out !== undefined && { out: fromHere(out) }),
    ...(kernel?.includes('/') && { kernel: fromHere(kernel) }),
    ...(modules !== undefined && { modules: fromHere(modules) }),
    ...(inventory !== undefined && { inventory: fromHere(inventory) }),
  };
}

function readText(path: string, mayBeMissing: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw wrong(path, 'it cannot be read', messageOf(error), 'name another file with --config, or none');
  }
}

function refuse(path: string, error: z.ZodError, value: unknown): MacvlabError {
  const keys = Object.keys(allowed).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(path, 'it is not a mapping of keys to values', `keys: ${keys}`, 'write lines such as `lab: sandbox`');
  }
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: there is no such key`);
    const key = String(issue.path[0]) as keyof Config;
    return [`${key}: ${JSON.stringify((value as Config)[key])} is not allowed; allowed: ${allowed[key]}`];
  });
  return wrong(path, [...new Set(lines)].join('; '), `keys: ${keys}`, 'mend the file, or name another with --config');
}

function wrong(path: string, why: string, evidence: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', `configuration file ${path}: ${why}`, { evidence, next });
}
