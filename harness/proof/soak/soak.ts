/** A soak: the suites run repeatedly, each time in a separate process, and are compared with the first time. */
import { setMaxListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { type Change, compare } from './compare.js';
import { startLoad } from './load.js';
import { Waits, type WaitSummary } from './waits.js';
import { runOnce, type SoakOutcome } from './soak-run.js';

export interface SoakPlan {
  filters: readonly string[];
  runs: number;
  /** How many runs at the same time. */
  parallel: number;
  /** How many labs run side by side in each run. */
  jobs: number;
  /** Busy threads during all runs except the first. */
  load: number;
  /** Folder in which each run creates its own folder. Only the folders of runs that differ from the first are kept. */
  out: string;
  /** When it is aborted, no further run begins, and current runs are ended. */
  signal: AbortSignal;
  /** Milliseconds after the first run begins. After that, no further run begins. */
  longest: number;
  /** Called after each run, with the report so far. */
  performed(run: SoakRun, report: SoakReport): void;
}

export interface SoakRun {
  /** From 1. */
  number: number;
  /** Milliseconds. */
  duration: number;
  changes: Change[];
  /** The run's folder, if it was kept. */
  folder?: string;
}

export interface SoakReport {
  /** How many experiments of the first run have each verdict. */
  verdicts: Record<string, number>;
  runs: SoakRun[];
  waits: WaitSummary[];
  /** Why the first run cannot be used for comparison. */
  trouble?: string;
}

/** Runs a soak. The first run is alone and without load. All others are compared with it. */
export async function runSoak(plan: SoakPlan): Promise<SoakReport> {
  const { runs, parallel, signal, longest } = plan;
  // Each current run has a listener.
  setMaxListeners(0, signal);
  const waits = new Waits();
  const report: SoakReport = { verdicts: {}, runs: [], waits: [] };
  const began = performance.now();
  let begun = 0;
  const timedRun = async (first?: SoakOutcome) => {
    const number = ++begun;
    const start = performance.now();
    const performed = await runOnce(plan);
    // An ended run proves nothing.
    if (signal.aborted) return performed;
    const changes = compare(first ?? performed, performed);
    const keep = changes.length > 0 || (!first && performed.failure !== undefined);
    if (performed.folder !== undefined && !keep) rmSync(performed.folder, { recursive: true, force: true });
    for (const wait of performed.waits) waits.merge(wait);
    report.waits = waits.slowest();
    const folder = keep && performed.folder !== undefined ? { folder: performed.folder } : {};
    const run = { number, duration: Math.round(performance.now() - start), changes, ...folder };
    report.runs.push(run);
    plan.performed(run, report);
    return performed;
  };
  const first = await timedRun();
  for (const { verdict } of Object.values(first.verdicts))
    report.verdicts[verdict] = (report.verdicts[verdict] ?? 0) + 1;
  if (first.failure !== undefined || Object.keys(first.verdicts).length === 0) {
    report.trouble = first.failure ?? 'the first run performed nothing';
    return report;
  }
  const endLoad = startLoad(plan.load);
  try {
    const another = () => begun < runs && !signal.aborted && performance.now() - began < longest;
    const work = async () => {
      while (another()) await timedRun(first);
    };
    await Promise.all(Array.from({ length: parallel }, work));
  } finally {
    await endLoad();
  }
  report.runs.sort((a, b) => a.number - b.number);
  return report;
}
