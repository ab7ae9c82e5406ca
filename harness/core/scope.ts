/** A stack of undos: whatever is created registers its undo in the same breath, and closing unwinds in reverse. */
import { MacvlabError, messageOf } from './error.js';

interface Undo {
  what: string;
  undo: () => unknown;
}

/** What has been created within a stretch of a run (a lab, a suite, a test), and how to take it away again. */
export class Scope {
  readonly name: string;
  readonly #undos: Undo[] = [];
  #closing: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Registers how to undo what is being done; an already closed scope refuses, since nothing would ever undo it. */
  defer(what: string, undo: () => unknown): void {
    if (this.#closing) throw new Error(`${this.name} is closed already, so that nothing would undo: ${what}`);
    this.#undos.push({ what, undo });
  }

  /**
   * Undoes everything, last first, whatever fails on the way; once, however often it is called.
   * @throws MacvlabError UNDO_FAILED listing every undo that failed
   */
  async close(): Promise<void> {
    await (this.#closing ??= this.#unwind());
  }

  async #unwind(): Promise<void> {
    await Promise.resolve();
    const failures: string[] = [];
    for (let step = this.#undos.pop(); step; step = this.#undos.pop()) {
      try {
        await step.undo();
      } catch (error) {
        failures.push(`${step.what}: ${messageOf(error)}`);
      }
    }
    if (failures.length > 0) {
      throw new MacvlabError(
        'UNDO_FAILED',
        `${this.name}: ${failures.length} undo ${failures.length === 1 ? 'step' : 'steps'} failed`,
        {
          evidence: failures.join('\n'),
          next: 'run `macvlab gc`, then `macvlab doctor`',
        },
      );
    }
  }
}
