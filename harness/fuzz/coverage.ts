/** Which blocks of our code have run, as V8 counts them (Chrome DevTools Protocol, "Profiler"): no instrumented build is needed. */
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';

/** Code of ours, other than what looks for faults in it. */
const counted = /\/harness\/(?!fuzz\/(?:coverage|fuzz|mutate|mutate-json|random|target)\.js)/;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that have run, or were passed by, since the last call as never before; one that has run much more often is another one. */
  news(): string[] {
    const before = this.#seen.size;
    for (const { url, scriptId, functions } of this.#take()) {
      if (!counted.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          // What a function that has run did not reach is told as 0, and what it did reach only where it is not all of it.
          this.#seen.add(`${scriptId}:${startOffset}:${endOffset}:${Math.floor(Math.log2(count))}`);
        }
      }
    }
    return [...this.#seen].slice(before);
  }

  /** Lets blocks be news again. */
  forget(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.delete(block);
  }

  /** All blocks that have ever run. */
  get blocks(): number {
    return this.#seen.size;
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.post('Profiler.disable');
    this.#session.disconnect();
  }

  /** Answered before the call returns: the session is this thread's own. */
  #take(): Profiler.ScriptCoverage[] {
    let result: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      ({ result } = answer);
    });
    return result;
  }
}
