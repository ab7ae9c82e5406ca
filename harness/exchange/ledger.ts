/** The exchanges of a lab: those that have ended, and the number of running ones. */
import { nextOrder } from '../wire/capture.js';
import type { Exchange } from './exchange.js';

export class Ledger {
  #ended: Exchange[] = [];
  #underWay = 0;
  #knownFrom = 0;

  /** Exchanges that have ended since the last {@link forget}. */
  get exchanges(): readonly Exchange[] {
    return this.#ended;
  }

  /** The number of pings that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The order of the first frame that captures still have: earlier ones were discarded. */
  get knownFrom(): number {
    return this.#knownFrom;
  }

  /** Counts a ping as running until it ends. */
  async during<T>(ping: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await ping();
    } finally {
      this.#underWay--;
    }
  }

  add(exchange: Exchange): void {
    this.#ended.push(exchange);
  }

  /** Discards all exchanges so far; the captures discard their frames. */
  forget(): void {
    this.#ended = [];
    this.#knownFrom = nextOrder();
  }
}
