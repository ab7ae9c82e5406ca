/** A bisection: it runs both ends as controls, then kernels between them until the change is between two. */
import { relative } from 'node:path';
import { exitCode, MacvlabError } from '../../core/error.js';
import { failureRecord } from '../../run/failure.js';
import { readRun } from '../../run/read-run.js';
import { keyOf } from '../../run/record.js';
import { bracket, contradictions, nextPositions, stepsLeft, type Reading } from './bisect.js';
import { writeBisection } from './bisection-folder.js';
import type { BisectionAnswer, BisectionRecord, TriedKernel } from './bisection-record.js';
import { noDifference, nothingTold } from './bisection-failure.js';
import { criteriaOf, judge, performedWords, type Performed } from './criterion.js';
import { slotFolder } from '../folder.js';
import { runKernel } from '../run/run-kernel.js';

/** Receives the progress of a bisection. */
export interface BisectionListener {
  remark(line: string): void;
  /** Before kernels run. @param step 0 for the two given kernels @param of estimated number of steps */
  trying(kernels: readonly TriedKernel[], step: number, of: number): void;
  /** A kernel has run. @param words summary of its results */
  tried(kernel: TriedKernel, words: string): void;
  /** The criteria of the search are known. */
  differs(record: BisectionRecord): void;
}

export interface BisectionOptions {
  /** Number of kernels to try at the same time. */
  jobs: number;
  signal: AbortSignal;
  listener: BisectionListener;
}

/**
 * Runs a bisection. The record contains the answer, or why there is none. Each step writes it to the folder.
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export async function performBisection(
  folder: string,
  record: BisectionRecord,
  options: BisectionOptions,
): Promise<void> {
  const began = performance.now();
  try {
    await search(folder, record, options);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    record.interrupted = options.signal.aborted;
    record.endedAt = new Date().toISOString();
    record.durationMs = Math.round(performance.now() - began);
    writeBisection(folder, record);
  }
}

async function search(folder: string, record: BisectionRecord, { jobs, signal, listener }: BisectionOptions) {
  const { kernels } = record;
  const count = kernels.length;
  const [good, bad] = await controls();
  record.criteria = criteriaOf(good, bad);
  if (record.criteria.length === 0) {
    record.failure = noDifference(record, good, bad);
    return;
  }
  for (const [end, control] of [[ends().good, good] as const, [ends().bad, bad] as const])
    end.finding = judge(record.criteria, control);
  record.answer = answerOf(record, new Map());
  writeBisection(folder, record);
  listener.differs(record);

  const readings = new Map<number, Reading>();
  for (let step = 1; ; step++) {
    const positions = nextPositions(count, readings, jobs);
    if (positions.length === 0) break;
    const tried = positions.flatMap((position) => kernels[position] ?? []);
    listener.trying(tried, step, step - 1 + stepsLeft(bracket(count, readings).open.length, jobs));
    await allOf(
      positions.map(async (position) => {
        const kernel = kernels[position];
        if (!kernel) return;
        const performed = await perform(kernel, step);
        kernel.finding = judge(record.criteria, performed);
        readings.set(position, toldBy(kernel.finding.side, record.good));
        record.answer = answerOf(record, readings);
        writeBisection(folder, record);
        listener.tried(kernel, kernel.finding.words);
      }),
    );
  }
  if (readings.size > 0 && [...readings.values()].every((each) => each === 'nothing'))
    record.failure = nothingTold(record);

  function ends(): { good: TriedKernel; bad: TriedKernel } {
    const [oldest, newest] = [kernels[0], kernels.at(-1)];
    if (!oldest || !newest || oldest === newest) throw new TypeError('a bisection goes from one kernel to another');
    return record.good === 'oldest' ? { good: oldest, bad: newest } : { good: newest, bad: oldest };
  }

  /** Runs both ends. */
  async function controls(): Promise<[Performed, Performed]> {
    const { good: one, bad: other } = ends();
    const control = async (kernel: TriedKernel) => {
      if (jobs === 1) listener.trying([kernel], 0, 0);
      const performed = await perform(kernel, 0);
      listener.tried(kernel, performedWords(performed));
      return performed;
    };
    if (jobs === 1) return [await control(one), await control(other)];
    listener.trying([one, other], 0, 0);
    const [first, second] = await allOf([control(one), control(other)]);
    if (!first || !second) throw new TypeError('two controls were performed');
    return [first, second];
  }

  /** Runs the experiments on a kernel. @throws the signal's reason; MacvlabError OUT_NOT_WRITABLE */
  async function perform(kernel: TriedKernel, step: number): Promise<Performed> {
    const work = {
      ...{ kernel: kernel.spec, only: record.experiments.map(keyOf), jobs: 1, probeFeatures: false },
      ...{ out: slotFolder(folder, kernel), arguments: record.arguments },
    };
    const remark = (line: string) => listener.remark(`${kernel.name}: ${line}`);
    try {
      const results = await readRun(await runKernel(work, { remark }, signal));
      signal.throwIfAborted();
      Object.assign(kernel, { step, folder: relative(folder, results.folder) });
      return { records: results.records, failure: results.run.failure };
    } catch (error) {
      signal.throwIfAborted();
      // Unwritable reports are not the kernel's fault, and would stop the next kernel too.
      if (error instanceof MacvlabError && error.exit === exitCode.usage) throw error;
      kernel.step = step;
      return { records: [], failure: failureRecord(error) };
    }
  }
}

/** Waits until all work has ended, even after an error: otherwise guests of other work could remain. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function toldBy(side: 'good' | 'bad' | 'cannot tell', good: BisectionRecord['good']): Reading {
  if (side === 'cannot tell') return 'nothing';
  return (side === 'good') === (good === 'oldest') ? 'first' : 'last';
}

function answerOf({ kernels, good }: BisectionRecord, readings: ReadonlyMap<number, Reading>): BisectionAnswer {
  const { before, after, open, holes } = bracket(kernels.length, readings);
  const names = (positions: readonly number[]) => positions.flatMap((position) => kernels[position]?.spec ?? []);
  const [first = '', last = ''] = names([before, after]);
  return {
    ...(good === 'oldest' ? { good: first, bad: last } : { good: last, bad: first }),
    ...{ cannotTell: names(holes), untried: names(open), otherwise: names(contradictions(kernels.length, readings)) },
  };
}
