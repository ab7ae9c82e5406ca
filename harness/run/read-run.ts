/** Reads the files of a run. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, resolve } from 'node:path';
import { z } from 'zod';
import { lackKinds } from '../core/missing-prerequisite.js';
import { MacvlabError, messageOf } from '../core/error.js';
import { keyOfOldTitle } from './keys/old-titles.js';
import type { RunRecord, RunResults, TestRecord } from './record.js';

/**
 * Reads a run, with its records in the order of their numbers.
 * @throws MacvlabError USAGE that names the file that is missing, cut short or not a record
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise, so that a later reader may take its time
export async function readRun(folder: string): Promise<RunResults> {
  const path = resolve(folder);
  const run = readAs(runRecord, join(path, 'run.json'));
  const files = readingOf(join(path, 'records'), (directory) => readdirSync(directory));
  // A name with a leading dot is an incomplete file whose writer died (see writeWhole). It was never a record.
  const whole = files.filter((file) => !file.startsWith('.'));
  const records = whole.map((file) => readAs(testRecord, join(path, 'records', file)));
  return { folder: path, run, records: records.sort((a, b) => a.number - b.number) };
}

const text = z.string();
const count = z.number().int().nonnegative();
/** Values that an experiment has observed or measured. */
const values = z.record(text, z.union([text, z.number(), z.boolean()]));
/** Failure of record.ts. */
export const failureSchema = z.looseObject({
  code: text,
  message: text,
  details: text.exactOptional(),
  next: text.exactOptional(),
});

function staysInside(path: string): boolean {
  return !isAbsolute(path) && normalize(path).split('/')[0] !== '..';
}

const featureRecord = z.looseObject({
  name: text,
  group: text,
  state: z.enum(['supported', 'refused', 'ignored', 'unknown']),
  words: text,
});

/** RunRecord of record.ts, as JSON. The schema is loose: additions of a newer macvlab are kept. */
const runRecord: z.ZodType<RunRecord> = z.looseObject({
  schema: z.literal(1),
  id: text,
  macvlab: text,
  arguments: z.array(text),
  lab: text,
  kernel: text,
  machine: text,
  tools: z.record(text, text),
  startedAt: text,
  endedAt: text.exactOptional(),
  durationMs: z.number().exactOptional(),
  hosts: z.record(text, text).exactOptional(),
  planned: count,
  interrupted: z.boolean(),
  endedAfter: z.string().exactOptional(),
  exit: z.number().int().exactOptional(),
  features: z.array(featureRecord).exactOptional(),
  failure: failureSchema.exactOptional(),
});

/** The fields that both schemas of a TestRecord have. */
const commonRecord = {
  number: z.number().int().positive(),
  id: text,
  title: text,
  suite: text,
  file: text,
  modes: z.array(text),
  verdict: z.enum(['passed', 'failed', 'skipped', 'error']),
  reason: text.exactOptional(),
  lacks: z.enum(lackKinds).exactOptional(),
  failure: failureSchema.exactOptional(),
  observed: values,
  repeated: text.exactOptional(),
  pausedMs: z.number().exactOptional(),
  measured: values.exactOptional(),
  addresses: z.record(text, text).exactOptional(),
  lab: text,
  kernel: text,
  startedAt: text,
  durationMs: z.number(),
  assertions: count,
  frames: count,
  evidence: z.array(
    z.looseObject({
      kind: z.enum(['pcap', 'commands', 'links', 'frames', 'frames-json', 'repro', 'counters', 'console']),
      // The path comes from the writer of the folder, and reports contain links to it.
      file: text.refine(staysInside, 'leads out of the run’s folder'),
      title: text,
      packets: z.array(count).exactOptional(),
    }),
  ),
};

/** TestRecord of record.ts, as JSON; one of schema 1 gets the key of its id and title. */
const testRecord: z.ZodType<TestRecord> = z.discriminatedUnion('schema', [
  z.looseObject({ schema: z.literal(2), key: text.min(1), ...commonRecord }),
  z
    .looseObject({ schema: z.literal(1), ...commonRecord })
    .transform((record) => ({ ...record, schema: 2 as const, key: keyOfOldTitle(record) })),
]);

/**
 * Reads a JSON file of a run or matrix.
 * @throws MacvlabError USAGE that names the file and the problem in it
 */
export function readAs<T>(schema: z.ZodType<T>, file: string): T {
  return readingOf(file, () => {
    // A folder from another user may contain a pipe or a device, of which reading would never end.
    if (!statSync(file).isFile()) throw new Error('it is no file');
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    refuseOtherSchema(file, value, read.error);
    throw new Error(z.prettifyError(read.error));
  });
}

/** @throws MacvlabError USAGE if the whole problem is that a later macvlab has written the file */
function refuseOtherSchema(file: string, value: unknown, { issues }: z.ZodError): void {
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (typeof schema !== 'number' || !issues.some(({ path }) => path.length === 1 && path[0] === 'schema')) return;
  throw new MacvlabError('USAGE', `${file} has schema ${schema}, which this version of macvlab does not read`, {
    next: 'use the version of macvlab that wrote it; the field "macvlab" of run.json or matrix.json has its number',
  });
}

/**
 * The text of a file of evidence.
 * @returns undefined if it is missing, larger than 20 MB or not a file of the run's own folder
 */
export function readEvidence(folder: string, file: string): string | undefined {
  try {
    const path = realpathSync(join(folder, file));
    const { size } = statSync(path);
    const isOwn = staysInside(file) && path.startsWith(`${realpathSync(folder)}/`) && statSync(path).isFile();
    return isOwn && size <= 20_000_000 ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a part of a run or matrix. @throws MacvlabError USAGE */
export function readingOf<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    if (error instanceof MacvlabError) throw error;
    throw new MacvlabError('USAGE', `${path} cannot be read as part of a run`, {
      evidence: messageOf(error),
      next: 'name the folder of a run, such as reports/latest; if this file alone is damaged, move it away and try again',
      cause: error,
    });
  }
}
