/** The one home of waiting: with a deadline, a description of what is awaited and reasons to give up early. */
import { setMaxListeners } from 'node:events';
import { MacvlabError } from './error.js';

export interface WaitOptions {
  /** What is awaited, as it stands in an error: "tcpdump on node1/eth1 to listen". */
  what: string;
  /** Milliseconds from now until the wait is given up. */
  deadline: number;
  /** Gives up at once with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** What had been seen when the deadline passed. */
  evidence?: () => string | undefined;
  /** The error's next step, when there is a better one than the general one. */
  next?: string;
}

/** A wait that is over, whichever way it ended. */
export interface WaitNote {
  /** As {@link WaitOptions.what}. */
  what: string;
  /** Milliseconds that it took. */
  took: number;
  /** Milliseconds that it might have taken. */
  deadline: number;
}

let noted: ((note: WaitNote) => void) | undefined;

/** Has every wait of this process told when it is over: to find out what takes long. None is by default. */
export function noteWaits(note: ((note: WaitNote) => void) | undefined): void {
  noted = note;
}

/**
 * Waits for work, but not beyond the deadline.
 * @throws MacvlabError WAIT_DEADLINE naming what was awaited; the signal's reason; whatever the work rejects with
 */
export async function within<T>(work: PromiseLike<T>, options: WaitOptions): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const began = noted && performance.now();
  const givenUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(deadlineError(options)), options.deadline);
  });
  try {
    return await unless(options.signal, Promise.race([work, givenUp]));
  } finally {
    clearTimeout(timer);
    if (began !== undefined)
      noted?.({ what: options.what, took: performance.now() - began, deadline: options.deadline });
  }
}

/**
 * Waits for work, unless a signal says that nobody needs it any more; whether the work fails then is nobody's concern.
 * @throws the signal's reason; whatever the work rejects with
 */
export async function unless<T>(signal: AbortSignal | undefined, work: PromiseLike<T>): Promise<T> {
  if (!signal) return work;
  // Hundreds of commands may hang on the one signal of their session.
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
      'look at the evidence; on a machine that is merely slow, set MACVLAB_PATIENCE=4 to wait four times as long',
  });
}

/** Something that changes and tells those who wait for it. */
export class Changes {
  readonly #listeners = new Set<() => void>();
  #failure: unknown;

  /** Wakes everyone who waits, so that they look again. */
  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Ends all waiting, now and later, with an error: there will be no more changes. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.notify();
  }

  /**
   * Looks at each change until `look` returns something other than undefined, and returns that.
   * @throws MacvlabError WAIT_DEADLINE; what `fail` was given; the signal's reason; what `look` throws
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
 * A deadline for something on this machine: multiplied by how patient its user is (environment `MACVLAB_PATIENCE`, default 1).
 * What a lab's machine does may take longer: its deadlines are those of its `Session.patience` (docs/decisions/0013). A deadline
 * bounds a wait that normally ends by an event, so that patience costs nothing when all is well.
 */
export function patience(milliseconds: number): number {
  const factor = Number(process.env.MACVLAB_PATIENCE ?? 1);
  return milliseconds * (Number.isFinite(factor) && factor > 0 ? factor : 1);
}

/**
 * Lets time pass where no event tells that it is enough: only as a courtesy before more costly work is begun, never as
 * proof that something does not happen. Ends early when `until` settles, either way.
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

/**
 * Looks again and again, for what gives no event, until `look` returns something other than undefined. The pauses grow
 * from 2 ms to 50 ms.
 * @throws MacvlabError WAIT_DEADLINE; what `look` throws
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
