/** Runs jobs side by side, within the limits of their lanes. */
import { lanes as allLanes, type Lane, type LaneName, mostJobs } from './lanes.js';

/** A task that runs to its end. */
export interface Job<T> {
  /** Unique among the jobs of a run. */
  name: string;
  lane: LaneName;
  /** Milliseconds of the previous run; undefined if there was none. */
  expected?: number | undefined;
  run(): Promise<T>;
}

export interface ScheduleOptions<T> {
  lanes?: readonly Lane[];
  /** How many jobs run at once at most. */
  most?: number;
  /** When it is aborted, no further job begins. */
  signal?: AbortSignal;
  began?: (job: Job<T>) => void;
  ended?: (job: Job<T>, result: T, milliseconds: number) => void;
}

/**
 * Runs each job once. A lane's longest job begins first. A job without a previous duration counts as long.
 * @returns the results in the order in which the jobs ended
 * @throws the error of a job, after the running jobs have ended
 */
export async function schedule<T>(jobs: readonly Job<T>[], options: ScheduleOptions<T> = {}): Promise<T[]> {
  const { lanes = allLanes, most = mostJobs, signal, began, ended } = options;
  // Two missing durations differ by NaN: these jobs keep their order.
  const waiting = [...jobs].sort((a, b) => (b.expected ?? Infinity) - (a.expected ?? Infinity) || 0);
  const running = new Map<Job<T>, Promise<void>>();
  const results: T[] = [];
  const failures: unknown[] = [];

  const begin = (job: Job<T>): void => {
    waiting.splice(waiting.indexOf(job), 1);
    began?.(job);
    const start = performance.now();
    const work = job
      .run()
      .then((result) => {
        results.push(result);
        ended?.(job, result, performance.now() - start);
      })
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(job));
    running.set(job, work);
  };

  for (;;) {
    for (let job = next(); job !== undefined; job = next()) begin(job);
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
  return results;

  function next(): Job<T> | undefined {
    if (signal?.aborted || failures.length > 0 || running.size >= most) return undefined;
    for (const { name, limit, alone } of lanes) {
      const job = waiting.find(({ lane }) => lane === name);
      if (job === undefined) continue;
      const busy = [...running.keys()].filter(({ lane }) => lane === name).length;
      const free = alone ? running.size === 0 && waiting.every(({ lane }) => isAlone(lane)) : busy < limit;
      if (free) return job;
    }
    return undefined;
  }

  function isAlone(lane: LaneName): boolean {
    return lanes.some(({ name, alone }) => name === lane && alone);
  }
}

/**
 * Estimates the remaining milliseconds from the previous durations; undefined if too few of them exist.
 * @param jobs those that have not ended
 * @param elapsed milliseconds since a running job began; 0 for a waiting job
 */
export function remaining<T>(
  jobs: readonly Job<T>[],
  elapsed: (job: Job<T>) => number,
  lanes: readonly Lane[] = allLanes,
): number | undefined {
  const known = jobs.filter(({ expected }) => expected !== undefined);
  if (known.length < jobs.length * 0.8) return undefined;
  const left = (job: Job<T>): number => Math.max((job.expected ?? 0) - elapsed(job), 0);
  const sums = lanes.map(({ name, limit, alone }) => {
    const times = known.filter(({ lane }) => lane === name).map(left);
    const sum = times.reduce((total, each) => total + each, 0);
    return { alone, time: Math.max(sum / limit, ...times, 0) };
  });
  const together = Math.max(0, ...sums.filter(({ alone }) => !alone).map(({ time }) => time));
  return sums.filter(({ alone }) => alone).reduce((total, { time }) => total + time, together);
}
