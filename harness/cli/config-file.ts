/** The configuration file `macvlab.config.yaml`: defaults for options of `macvlab run`. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../core/error.js';
import { readYaml } from '../core/yaml.js';
import { labNames } from '../machine/drivers.js';
import { type LabOption, sharedOptions } from '../machine/options.js';
import { macvlanModes } from '../link/macvlan.js';
import { keepChoices } from '../run/plan.js';
import { reporterNames } from './run/reporter-names.js';

/** Read from the current folder if it exists. */
export const configFileName = 'macvlab.config.yaml';

/** The values that the file may contain for an option. */
type Key = Pick<LabOption, 'schema' | 'allowed' | 'isPath'>;

const reporter = z.enum(reporterNames);

const runKeys = {
  mode: { schema: z.enum(macvlanModes), allowed: macvlanModes.join(', ') },
  jobs: { schema: z.number().int().positive(), allowed: 'a whole number from 1' },
  keep: { schema: z.enum(keepChoices), allowed: keepChoices.join(', ') },
  bail: { schema: z.boolean(), allowed: 'true, false' },
  out: { schema: z.string().min(1), allowed: 'a folder, relative to this file', isPath: () => true },
  pcapPerPoint: { schema: z.boolean(), allowed: 'true, false' },
  reporter: {
    schema: z.union([reporter.transform((name) => [name]), z.array(reporter).min(1)]),
    allowed: `one or a list of ${reporterNames.join(', ')}`,
  },
};

/** All keys, in the order in which errors show them. */
const keys = {
  lab: { schema: z.enum(labNames), allowed: labNames.join(', ') },
  ...sharedOptions,
  ...runKeys,
};

/** The contents of the file. After reading, `reporter` is always a list, and paths are absolute. */
export type Config = { [Name in keyof typeof keys]?: z.infer<(typeof keys)[Name]['schema']> };

const configSchema = z.strictObject(
  Object.fromEntries(rows().map(([name, { schema }]) => [name, schema.exactOptional()])),
);

function rows(): [string, Key][] {
  return Object.entries(keys);
}

/**
 * Reads a configuration file.
 * @param file by default `macvlab.config.yaml` of the current folder, which may be missing
 * @throws MacvlabError USAGE with the file, the key and the allowed values
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
  const config = parsed.data as Record<string, string | undefined>;
  const paths = rows().filter(([name, { isPath }]) => config[name] !== undefined && isPath?.(config[name]));
  const fromHere = ([name]: [string, unknown]) => [name, resolve(dirname(path), config[name] ?? '')];
  return { ...config, ...Object.fromEntries(paths.map(fromHere)) } as Config;
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
  const names = Object.keys(keys).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(path, 'it is not a mapping of keys to values', `keys: ${names}`, 'write lines such as `lab: sandbox`');
  }
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: there is no such key`);
    const key = String(issue.path[0]) as keyof typeof keys;
    return [`${key}: ${JSON.stringify((value as Config)[key])} is not allowed; allowed: ${keys[key].allowed}`];
  });
  return wrong(path, [...new Set(lines)].join('; '), `keys: ${names}`, 'mend the file, or name another with --config');
}

function wrong(path: string, why: string, evidence: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', `configuration file ${path}: ${why}`, { evidence, next });
}
