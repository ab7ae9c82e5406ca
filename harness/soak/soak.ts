/** A soak: the suites performed again and again, each time in a process of its own, and compared with the first time. */
import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Change, compare } from './compare.js';
import { startLoad } from './load.js';
import { Waits, type WaitSummary } from './waits.js';
import type { Commission, Performed } from './worker.js';

export interface SoakPlan {
  filters: readonly string[];
  runs: number;
  /** How many runs at a time. */
  parallel: number;
  /** Labs side by side in each run. */
  jobs: number;
  /** Busy threads beside all runs but the first. */
  load: number;
  /** Folder in which each run makes its own; only those that came out otherwise than the first are kept. */
  out: string;
  /** No run is begun any more when it is aborted; those that are going on are ended. */
  signal: AbortSignal;
  /** No run is begun any more this many milliseconds after the first. */
  longest: number;
  /** Told of each run that has ended, and of all that is known by then. */
  performed(run: SoakRun, report: SoakReport): void;
}

export interface SoakRun {
  /** From 1. */
  number: number;
  /** Milliseconds. */
  duration: number;
  changes: Change[];
  /** Where it is, of one that was kept. */
  folder?: string;
}

export interface SoakReport {
  /** How many experiments the first run had, by their verdicts. */
  verdicts: Record<string, number>;
  runs: SoakRun[];
  waits: WaitSummary[];
  /** Why the first run is nothing to compare with. */
  trouble?: string;
}

const worker = fileURLToPath(new URL('worker.js', import.meta.url));

/** Performs a soak. The first run is performed alone and without load: all others are compared with it. */
export async function performSoak(plan: SoakPlan): Promise<SoakReport> {
  const { runs, parallel, signal, longest } = plan;
  // Each run that is going on has one.
  setMaxListeners(0, signal);
  const waits = new Waits();
  const report: SoakReport = { verdicts: {}, runs: [], waits: [] };
  const began = performance.now();
  let begun = 0;
  const timedRun = async (first?: Performed) => {
    const number = ++begun;
    const start = performance.now();
    const performed = await performRun(plan);
    // What was ended proves nothing.
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

async function performRun({ filters, jobs, out, signal }: SoakPlan): Promise<Performed> {
  const commission: Commission = { filters, jobs, out };
  const child = spawn(process.execPath, [worker, JSON.stringify(commission)], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Its sandboxes end with it.
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  signal.removeEventListener('abort', end);
  try {
    return JSON.parse(printed) as Performed;
  } catch {
    return { verdicts: {}, failure: `its process said nothing that can be read: ${said.trim() || printed}`, waits: [] };
  }
}
