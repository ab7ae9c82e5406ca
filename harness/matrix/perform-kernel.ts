/** One kernel's part of a matrix, in a process of its own: whatever becomes of it, no other kernel is disturbed. */
import { type ChildProcess, fork } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, errorCodes, MacvlabError, messageOf } from '../core/error.js';
import type { TestRecord } from '../run/record.js';
import type { Order, Report, Work } from './work.js';

/** Told how a kernel's run goes. */
export interface KernelListener {
  remark?(line: string): void;
  /** Its lab stands. */
  begun?(): void;
  started?(title: string): void;
  ended?(record: TestRecord): void;
}

/** MiB that such a process takes. */
export const workerMemory = 100;

/**
 * Performs experiments on a kernel.
 * @returns the folder of the run, which tells all that was performed, also when its lab could not be built or it was interrupted
 * @throws MacvlabError WORKER_DIED when its process ended by itself; what kept a run from being begun
 */
export async function performKernel(work: Work, listener: KernelListener, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  // A session of its own: Ctrl-C at the terminal is for the matrix, which ends its workers in order.
  const worker = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stop = () => order(worker, { kind: 'stop', why: messageOf(signal.reason) });
  // As many listen as there are workers.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', stop, { once: true });
  if (running.size === 0) process.on('exit', killAll);
  running.add(worker);
  try {
    return await follow(worker, work, listener);
  } finally {
    running.delete(worker);
    if (running.size === 0) process.off('exit', killAll);
    signal.removeEventListener('abort', stop);
  }
}

/** Workers of this process. */
const running = new Set<ChildProcess>();

/** Who ends without waiting takes them along, and the kernel their guests. */
function killAll(): void {
  for (const worker of running) worker.kill('SIGKILL');
}

async function follow(worker: ChildProcess, work: Work, listener: KernelListener): Promise<string> {
  let words = '';
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => (words = `${words}${text}`.slice(-4000)));
  return new Promise<string>((resolve, reject) => {
    let outcome: (() => void) | undefined;
    worker.on('message', (report: Report) => {
      if (report.kind === 'ready') order(worker, { kind: 'perform', work });
      if (report.kind === 'remark') listener.remark?.(report.line);
      if (report.kind === 'begun') listener.begun?.();
      if (report.kind === 'started') listener.started?.(report.title);
      if (report.kind === 'ended') listener.ended?.(report.record);
      if (report.kind === 'done') outcome = () => resolve(report.folder);
      if (report.kind === 'failed') outcome = () => reject(asError(report.failure));
    });
    worker.once('error', reject);
    // Only when it is gone are its guests gone too.
    worker.once('close', (status, by) => {
      if (outcome) outcome();
      else reject(died(work, by ?? `status ${status}`, words));
    });
  });
}

function order(worker: ChildProcess, what: Order): void {
  // A worker that is gone tells so by its end.
  if (worker.connected) worker.send(what, () => undefined);
}

function asError({ code, message, details, next }: Extract<Report, { kind: 'failed' }>['failure']): MacvlabError {
  return new MacvlabError(code in errorCodes ? (code as ErrorCode) : 'WORKER_DIED', message, {
    evidence: details,
    next: next ?? 'run it again',
  });
}

function died({ kernel }: Work, how: string, words: string): MacvlabError {
  return new MacvlabError('WORKER_DIED', `the process that performed ${kernel} ended by itself with ${how}`, {
    evidence: words,
    next: 'perform what is missing: macvlab matrix --resume; when it ends this way twice, report it with these lines',
  });
}
