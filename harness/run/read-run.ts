/** Reading back what a run has written. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, resolve } from 'node:path';
import { z } from 'zod';
import { lackKinds } from '../lab/lacking.js';
import { MacvlabError, messageOf } from '../core/error.js';
import type { RunRecord, RunResults, TestRecord } from './record.js';

/**
 * Reads a run back, records in the order of their numbers.
 * @throws MacvlabError USAGE naming the file that is missing, cut short or not a record
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise, so that a later reader may take its time
export async function readRun(folder: string): Promise<RunResults> {
  const path = resolve(folder);
  const run = readAs(runRecord, join(path, 'run.json'));
  const files = readingOf(join(path, 'records'), (directory) => readdirSync(directory));
  // A name with a leading dot is a file whose writer died before it was whole (see writeWhole): it was never a record.
  const whole = files.filter((file) => !file.startsWith('.'));
  const records = whole.map((file) => readAs(testRecord, join(path, 'records', file)));
  return { folder: path, run, records: records.sort((a, b) => a.number - b.number) };
}

const text = z.string();
const count = z.number().int().nonnegative();
/** What an experiment has observed or measured. */
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

/** RunRecord of record.ts, as JSON. Loose: what a newer macvlab adds is kept. */
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

/** TestRecord of record.ts, as JSON. */
const testRecord: z.ZodType<TestRecord> = z.looseObject({
  schema: z.literal(1),
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
      kind: z.enum(['pcap', 'commands', 'links', 'frames', 'repro', 'counters', 'console']),
      // Of whoever made it: reports lead there.
      file: text.refine(staysInside, 'leads out of the run’s folder'),
      title: text,
    }),
  ),
});

/**
 * Reads a JSON file of a run or matrix.
 * @throws MacvlabError USAGE naming the file and what is wrong in it
 */
export function readAs<T>(schema: z.ZodType<T>, file: string): T {
  return readingOf(file, () => {
    // Whoever made the folder may have put something else there, of which reading would never end: a pipe, a device.
    if (!statSync(file).isFile()) throw new Error('it is no file');
    const read = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (read.success) return read.data;
    throw new Error(z.prettifyError(read.error));
  });
}

/** Reads a part of a run or matrix. @throws MacvlabError USAGE */
export function readingOf<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    throw new MacvlabError('USAGE', `${path} cannot be read as part of a run`, {
      evidence: messageOf(error),
      next: 'name the folder of a run, such as reports/latest; if this file alone is damaged, move it away and try again',
      cause: error,
    });
  }
}
