/** All functions for waiting: each has a deadline, a description of what is awaited and reasons to end early. */
import { setMaxListeners } from 'node:events';
import { MacvlabError } from './error.js';

export interface WaitOptions {
  /** The event that is awaited, as in an error: "tcpdump on node1/eth1 to listen". */
  what: string;
  /** Milliseconds from now until the wait fails. */
  deadline: number;
  /** Ends the wait at once with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** The observations until the deadline. */
  evidence?: () => string | undefined;
  /** The error's next step, when there is a more specific one. */
  next?: string;
}

/** A wait that has ended, with or without success. */
export interface WaitNote {
  /** As {@link WaitOptions.what}. */
  what: string;
  /** Milliseconds that it took. */
  took: number;
  /** Its deadline in milliseconds. */
  deadline: number;
}

/** A wait that has not ended. */
export interface WaitUnderWay {
  /** As {@link WaitOptions.what}. */
  what: string;
  /** When it began, as `performance.now()`. */
  began: number;
}

const underWay = new Set<WaitUnderWay>();

/** The waits of this process that have not ended, in the order in which they began. */
export function waitsUnderWay(): readonly WaitUnderWay[] {
  return [...underWay];
}

let noted: ((note: WaitNote) => void) | undefined;

/** Reports every ended wait of this process, to find slow steps. By default, none is reported. */
export function noteWaits(note: ((note: WaitNote) => void) | undefined): void {
  noted = note;
}

/**
 * Waits for work, up to the deadline.
 * @throws MacvlabError WAIT_DEADLINE naming what was awaited; the signal's reason; the rejection of the work
 */
export async function within<T>(work: PromiseLike<T>, options: WaitOptions): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const wait = { what: options.what, began: performance.now() };
  underWay.add(wait);
  const givenUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(deadlineError(options)), options.deadline);
  });
  try {
    return await unless(options.signal, Promise.race([work, givenUp]));
  } finally {
    clearTimeout(timer);
    underWay.delete(wait);
    noted?.({ what: options.what, took: performance.now() - wait.began, deadline: options.deadline });
  }
}

/**
 * Waits for work, unless a signal cancels the wait; a later failure of the work is then ignored.
 * @throws the signal's reason; the rejection of the work
 */
export async function unless<T>(signal: AbortSignal | undefined, work: PromiseLike<T>): Promise<T> {
  if (!signal) return work;
  // Hundreds of commands may use the one signal of their session.
  setMaxListeners(0, signal);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

function deadlineError({ what, deadline, evidence, next }: WaitOptions): MacvlabError {
  return new MacvlabError('WAIT_DEADLINE', `waited ${deadline} ms for ${what}`, {
    evidence: evidence?.(),
    next:
      next ??
      'look at the evidence; on a machine that is merely slow, set MACVLAB_TIMEOUT_FACTOR=4 to wait four times as long',
  });
}

/** Notifies its waiters about changes. */
export class Changes {
  readonly #listeners = new Set<() => void>();
  #failure: unknown;

  /** Wakes all waiters, so that they check again. */
  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Ends all waits, now and later, with an error: there will be no more changes. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.notify();
  }

  /**
   * Calls `look` after each change until it returns something other than undefined, and returns that.
   * @throws MacvlabError WAIT_DEADLINE; the error given to `fail`; the signal's reason; errors of `look`
   */
  async until<T>(look: () => T | undefined, options: WaitOptions): Promise<T> {
    let listener: (() => void) | undefined;
    const found = new Promise<T>((resolve, reject) => {
      listener = () => {
        try {
          const value = look();
          if (value !== undefined) resolve(value);
          else if (this.#failure !== undefined) reject(this.#failure as Error);
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#listeners.add(listener);
      listener();
    });
    try {
      return await within(found, options);
    } finally {
      if (listener) this.#listeners.delete(listener);
    }
  }
}

/**
 * A deadline for an action on this machine: multiplied by the user’s timeout factor (environment
 * `MACVLAB_TIMEOUT_FACTOR`, default 1). Actions of a lab's machine may take longer: their deadlines come from its
 * `Session.timeout` (docs/decisions/0013). A deadline limits a wait that normally ends by an event, so that a long one
 * costs no time without errors.
 */
export function timeout(milliseconds: number): number {
  const factor = Number(process.env.MACVLAB_TIMEOUT_FACTOR ?? 1);
  return milliseconds * (Number.isFinite(factor) && factor > 0 ? factor : 1);
}

/**
 * Waits for a time where no event is available. It is only a grace period before more expensive work, never a proof
 * that something does not happen. Ends early when `until` settles, in either way.
 */
export async function pause(milliseconds: number, until?: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  try {
    await Promise.race([elapsed, until?.catch(() => undefined) ?? elapsed]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls a function at intervals, which keep no process running. @returns a function that ends this */
export function every(milliseconds: number, work: () => void): () => void {
  const timer = setInterval(work, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Calls `look` repeatedly, where no event is available, until it returns something other than undefined. The pauses
 * increase from 2 ms to 50 ms.
 * @throws MacvlabError WAIT_DEADLINE; errors of `look`
 */
export async function poll<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()));
  const looking = async (): Promise<T> => {
    for (let wait = 2; ; wait = Math.min(wait * 2, 50)) {
      const value = await look();
      if (value !== undefined) return value;
      await pause(wait, ended);
      over.signal.throwIfAborted();
    }
  };
  try {
    return await within(looking(), options);
  } finally {
    over.abort();
  }
}
