/** Reports which blocks of our code have run, as V8 counts them (Chrome DevTools Protocol, "Profiler"). No instrumented build is needed. */
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';

/** Our code, except the fuzzer itself. */
const counted = /\/harness\/(?!fuzz\/(?:coverage|fuzz|mutate|mutate-json|random|target)\.js)/;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks whose count is new since the last call, including blocks that did not run. A block counts again when it runs much more often. */
  news(): string[] {
    const before = this.#seen.size;
    for (const { url, scriptId, functions } of this.#take()) {
      if (!counted.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          // V8 reports an unreached block of a function with count 0. It reports a reached block only if it is not the
          // whole function.
          this.#seen.add(`${scriptId}:${startOffset}:${endOffset}:${Math.floor(Math.log2(count))}`);
        }
      }
    }
    return [...this.#seen].slice(before);
  }

  /** Lets `news` report these blocks again. */
  forget(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.delete(block);
  }

  /** The number of all blocks that were reported. */
  get blocks(): number {
    return this.#seen.size;
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.post('Profiler.disable');
    this.#session.disconnect();
  }

  /** The answer arrives before the call returns, because the session is attached to this thread. */
  #take(): Profiler.ScriptCoverage[] {
    let result: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      ({ result } = answer);
    });
    return result;
  }
}
