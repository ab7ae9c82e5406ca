/** The previous duration of each job, from the cache. It determines the order of jobs and the estimate of the remaining time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../../core/cache.js';
import { asJson, makeFolders, writeWhole } from '../../core/report-files.js';

/** Milliseconds by the name of a job. */
export type Durations = Record<string, number>;

const schema = z.record(z.string(), z.number().nonnegative());

const file = (): string => join(cacheFolder(), 'test-durations.json');

/** The durations of earlier runs. Empty if there are none, or if the file cannot be read. */
export function readDurations(): Durations {
  try {
    return schema.parse(JSON.parse(readFileSync(file(), 'utf8')));
  } catch {
    return {};
  }
}

/** Stores the durations of this run together with those of other jobs. A cache that cannot be written is not an error. */
export function keepDurations(durations: Durations): void {
  try {
    makeFolders(cacheFolder());
    writeWhole(file(), asJson({ ...readDurations(), ...durations }));
  } catch {
    // The next run starts the jobs in a different order.
  }
}
