/** A run in a separate process. This process continues, however that process ends. apart-worker.ts is the other side. */
import { type ChildProcess, fork } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, errorCodes, MacvlabError, messageOf } from '../core/error.js';
import type { LabDriver } from '../machine/driver.js';
import type { FinishedRun } from './suite-runner.js';
import type { RunListener, RunPlan } from './plan.js';
import type { Failure, RunRecord, TestRecord } from './record.js';

/** A run as plain data. */
export interface ApartWork {
  plan: Omit<RunPlan, 'only' | 'signal' | 'listener' | 'setUp' | 'experimentEnded'> & { only?: readonly string[] };
  /** URL of a module that exports a {@link SettingMaker} as `setting`, and the data for it. */
  setting: { module: string; data: unknown };
}

/** The part of a plan that is not plain data. The process of the run creates it. */
export interface Setting {
  drivers: readonly LabDriver[];
  /** Used instead of the plan's filters. */
  filters?: readonly string[];
  /** Called in that process, before the listener of {@link runApart}. */
  listener?: Partial<RunListener>;
  experimentEnded?: RunPlan['experimentEnded'];
  /** Plain data that is reported with the results after any end of the run. */
  notes?(): unknown;
}

/** Creates a setting in the process of the run. */
export type SettingMaker = (data: never, remark: (line: string) => void) => Setting | Promise<Setting>;

export interface ApartOptions {
  /** The name of the run in errors: "Linux 6.12". */
  what: string;
  signal: AbortSignal;
  listener?: Partial<RunListener>;
  /** Receives the setting's notes before the run ends. */
  notes?: (notes: unknown) => void;
  /** Whether an aborted run ends in order, which keeps its results, or is killed. Its labs end in both cases. */
  whenAborted?: 'stop' | 'kill';
  /** The next step for the user if the process ends by itself. */
  next?: string;
  /** A program with arguments that starts Node.js. Node's own arguments are appended. */
  command?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** A message to the process of a run. */
export type Order = { kind: 'run'; work: ApartWork } | { kind: 'stop'; why: string };

/** A message from the process of a run. */
export type Report =
  | { kind: 'ready' }
  | { kind: 'remark'; line: string }
  | { kind: 'begin'; run: RunRecord; total: number }
  | { kind: 'testStarted'; title: string; number: number; lab: string }
  | { kind: 'testEnded'; record: TestRecord }
  | { kind: 'end' }
  /** The run has ended in any way. */
  | { kind: 'done'; results: FinishedRun; notes: unknown }
  /** The run could not begin, or could not end. */
  | { kind: 'failed'; failure: Failure; notes: unknown };

/**
 * Runs experiments in a separate process.
 * @returns the results, also if no lab could be built, or if the run was stopped
 * @throws MacvlabError WORKER_DIED if the process ended by itself; the error that prevented the run from beginning; the
 *   signal's reason, if an aborted run is killed, when its process is gone
 */
export async function runApart(work: ApartWork, options: ApartOptions): Promise<FinishedRun> {
  const {
    signal,
    whenAborted = 'stop',
    command: [program = process.execPath, ...before] = [],
    env = process.env,
  } = options;
  signal.throwIfAborted();
  // A separate session: Ctrl-C at the terminal reaches only this process, which ends its workers.
  const worker = fork(fileURLToPath(new URL('./apart-worker.js', import.meta.url)), {
    ...{ detached: true, execPath: program, execArgv: before, env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const abort = () => {
    if (whenAborted === 'kill') kill(worker);
    else order(worker, { kind: 'stop', why: messageOf(signal.reason) });
  };
  // Each worker adds a listener.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', abort, { once: true });
  if (running.size === 0) process.on('exit', killAll);
  running.add(worker);
  try {
    return await follow(worker, work, options);
  } finally {
    running.delete(worker);
    if (running.size === 0) process.off('exit', killAll);
    signal.removeEventListener('abort', abort);
    if (whenAborted === 'kill') signal.throwIfAborted();
  }
}

/** The workers of this process. */
const running = new Set<ChildProcess>();

/** If this process ends without waiting, its workers end as well, and their labs with them. */
function killAll(): void {
  for (const worker of running) kill(worker);
}

/** Kills a worker and the programs that run it. They are a separate process group. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The worker has already ended.
  }
}

async function follow(worker: ChildProcess, work: ApartWork, options: ApartOptions): Promise<FinishedRun> {
  const { listener = {}, notes } = options;
  let words = '';
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => (words = `${words}${text}`.slice(-4000)));
  return new Promise<FinishedRun>((resolve, reject) => {
    let outcome: (() => void) | undefined;
    worker.on('message', (report: Report) => {
      if (report.kind === 'ready') order(worker, { kind: 'run', work });
      if (report.kind === 'remark') listener.remark?.(report.line);
      if (report.kind === 'begin') listener.begin?.(report.run, report.total);
      if (report.kind === 'testStarted') listener.testStarted?.(report.title, report.number, report.lab);
      if (report.kind === 'testEnded') listener.testEnded?.(report.record);
      if (report.kind === 'end') listener.end?.();
      if (report.kind === 'done' || report.kind === 'failed') notes?.(report.notes);
      if (report.kind === 'done') outcome = () => resolve(report.results);
      if (report.kind === 'failed') outcome = () => reject(asError(report.failure));
    });
    worker.once('error', reject);
    // Its labs are gone only after it is gone.
    worker.once('close', (status, by) => {
      if (outcome) outcome();
      else reject(died(options, by ?? `status ${status}`, words));
    });
  });
}

function order(worker: ChildProcess, what: Order): void {
  // `follow` detects the end of a worker.
  if (worker.connected) worker.send(what, () => undefined);
}

/** Converts a failure back to the error from which it was recorded. */
function asError({ code, message, details, next }: Failure): Error {
  if (code in errorCodes)
    return new MacvlabError(code as ErrorCode, message, { evidence: details, next: next ?? 'run it again' });
  const error = new Error(message);
  if (details !== undefined) error.stack = details;
  return error;
}

function died(
  { what, next = 'run it again; when it ends this way twice, report it with these lines' }: ApartOptions,
  how: string,
  words: string,
): MacvlabError {
  return new MacvlabError('WORKER_DIED', `the process that performed ${what} ended by itself with ${how}`, {
    evidence: words,
    next,
  });
}
