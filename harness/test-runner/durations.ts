/** How long each job took the last time, kept in the cache: for the order of jobs, and to estimate what remains. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../core/cache.js';
import { asJson, makeFolders, writeWhole } from '../core/report-files.js';

/** Milliseconds by the name of a job. */
export type Durations = Record<string, number>;

const schema = z.record(z.string(), z.number().nonnegative());

const file = (): string => join(cacheFolder(), 'test-durations.json');

/** The durations of earlier runs; none when there are none, or when the file cannot be read. */
export function readDurations(): Durations {
  try {
    return schema.parse(JSON.parse(readFileSync(file(), 'utf8')));
  } catch {
    return {};
  }
}

/** Keeps the durations of this run beside those of jobs that it did not have. A cache that cannot be written is no trouble. */
export function keepDurations(durations: Durations): void {
  try {
    makeFolders(cacheFolder());
    writeWhole(file(), asJson({ ...readDurations(), ...durations }));
  } catch {
    // the next run begins with the jobs in another order
  }
}
