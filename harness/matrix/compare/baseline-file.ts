/** Baselines as files. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';
import { makeFolders, writeWhole, writing } from '../../core/report-files.js';
import { keyOfOldName } from '../../run/keys/old-titles.js';
import { type Baseline, formatBaseline } from './baseline.js';
import { keepInHistory, newestOf } from './history.js';

export interface ReadBaselineOptions {
  /** With --update-baseline: a missing file, or a folder without a baseline, is not an error. */
  mayBeMissing?: boolean;
  /** In a folder, only matrices that began before this time, ISO 8601: no matrix is compared with itself. */
  before?: string;
}

/**
 * Reads a baseline.
 * @param path its file, or a folder of baselines (--history), of which it reads the newest
 * @throws MacvlabError USAGE if there is none, or if it is unreadable: truncated, of another schema, not a baseline
 */
export function readBaseline(path: string): Baseline;
/** The same; undefined if the baseline may be missing and is missing. */
export function readBaseline(path: string, options: ReadBaselineOptions): Baseline | undefined;
export function readBaseline(path: string, { mayBeMissing, before }: ReadBaselineOptions = {}): Baseline | undefined {
  const found = find(path, before);
  if (found) return parseBaseline(found.text, found.file);
  if (mayBeMissing) return undefined;
  throw new MacvlabError('USAGE', isFolder(path) ? `there is no baseline in ${path}` : `there is no baseline ${path}`, {
    next: 'make one of what this matrix comes to: add --update-baseline',
  });
}

/** Undefined if there is none. @throws MacvlabError USAGE if it is unreadable */
function find(path: string, before?: string): { file: string; text: string } | undefined {
  try {
    const file = isFolder(path) ? newestOf(path, before) : path;
    return file === undefined ? undefined : { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, 'it cannot be read', messageOf(error));
  }
}

/**
 * Writes a baseline, whole or not at all.
 * @param path its file, or a folder to which it is added as the newest baseline
 * @returns the file's absolute path
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export function writeBaseline(path: string, baseline: Baseline): string {
  if (isFolder(path) || path.endsWith('/')) return keepInHistory(path, baseline);
  const file = resolve(path);
  writing(dirname(file), () => {
    makeFolders(dirname(file));
    writeWhole(file, formatBaseline(baseline));
  });
  return file;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // The read of the path reports the error.
    return false;
  }
}

function parseBaseline(text: string, file: string): Baseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, 'it is no JSON, or was cut short', messageOf(error));
  }
  const { schema } = (typeof value === 'object' && value !== null ? value : {}) as { schema?: unknown };
  if (typeof schema === 'number' && schema !== 1 && schema !== 2) {
    throw unreadable(file, `it has schema ${schema}, and this macvlab reads schemas 1 and 2`);
  }
  const parsed = baselineSchema.safeParse(value);
  if (!parsed.success) throw unreadable(file, 'it is no baseline', z.prettifyError(parsed.error));
  return parsed.data;
}

function unreadable(file: string, why: string, evidence?: string): MacvlabError {
  return new MacvlabError('USAGE', `the baseline ${file} cannot be used: ${why}`, {
    evidence,
    next: 'take an earlier version of it, or remove it and make another with --update-baseline',
  });
}

const text = z.string();
const mark = text.exactOptional();

/** Loose: fields that a newer macvlab adds without a new schema stay. */
const experiment = z.looseObject({
  experiment: text.min(1),
  verdict: z.enum(['passed', 'failed', 'skipped', 'error']),
  error: z.boolean().exactOptional(),
  expected: mark,
  alarm: mark,
  observed: z.record(text, z.union([text, z.number(), z.boolean()])).exactOptional(),
});

const feature = z.looseObject({
  feature: text.min(1),
  state: z.enum(['supported', 'refused', 'ignored', 'unknown']),
  alarm: mark,
});

const kernel = z.looseObject({
  name: text.min(1),
  version: text,
  release: text,
  failure: mark,
  experiments: onceEach(experiment, 'experiment'),
  features: onceEach(feature, 'feature'),
});

const commonBaseline = {
  date: z.iso.datetime(),
  macvlab: z.array(text),
  kernels: onceEach(kernel, 'name'),
};

/** A baseline of schema 1 gets the keys that belong to its ids and titles. */
const baselineSchema: z.ZodType<Baseline> = z.discriminatedUnion('schema', [
  z.looseObject({ schema: z.literal(2), ...commonBaseline }),
  z.looseObject({ schema: z.literal(1), ...commonBaseline }).transform((baseline) => ({
    ...baseline,
    schema: 2 as const,
    kernels: baseline.kernels.map((each) => ({
      ...each,
      experiments: each.experiments.map((one) => ({ ...one, experiment: keyOfOldName(one.experiment) })),
    })),
  })),
]);

/** A list without duplicates, which can come from a manual merge of two versions of a file. */
function onceEach<K extends string, T extends z.ZodType<Record<K, string>>>(item: T, key: K) {
  return z.array(item).superRefine((items, context) => {
    const seen = new Set<string>();
    for (const [position, each] of items.entries()) {
      if (seen.has(each[key]))
        context.addIssue({ code: 'custom', path: [position, key], message: `${each[key]} stands here twice` });
      seen.add(each[key]);
    }
  });
}
