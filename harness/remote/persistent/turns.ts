/** Callers that use something one after the other, in the order of their requests. */
import { unless } from '../../core/wait.js';

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #callers = 0;

  /** Whether a caller works or waits. */
  get isBusy(): boolean {
    return this.#callers > 0;
  }

  /** Does work after that of all earlier callers. @param signal ends the wait for the turn; the work ends by itself */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const state = { hasBegun: false };
    this.#callers += 1;
    const result = this.#last
      .then(async () => {
        signal?.throwIfAborted();
        state.hasBegun = true;
        return work();
      })
      .finally(() => (this.#callers -= 1));
    this.#last = result.catch(() => undefined);
    return unless(signal, result).catch(async (error: unknown) => {
      if (state.hasBegun) return result;
      throw error;
    });
  }
}
