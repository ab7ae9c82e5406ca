/** The nested stretches of a run: lab, suite, test. What is made now is undone at the end of the innermost. */
import { Scope } from '../core/scope.js';

export class Scopes {
  readonly #open: Scope[] = [new Scope('the lab')];

  /** The innermost open scope. */
  get current(): Scope {
    const scope = this.#open.at(-1);
    if (!scope) throw new Error('the lab is closed');
    return scope;
  }

  /** Begins a stretch within the current one. */
  enter(name: string): Scope {
    const scope = new Scope(name);
    this.#open.push(scope);
    return scope;
  }

  /**
   * Ends a stretch, by default the innermost, with all that were begun in it and not ended; what they made is undone.
   * @throws MacvlabError UNDO_FAILED
   */
  async leave(scope: Scope = this.current): Promise<void> {
    const from = this.#open.indexOf(scope);
    if (from < 0) return;
    const failures: unknown[] = [];
    for (const ended of this.#open.splice(from).reverse()) {
      await ended.close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0] as Error;
  }

  /** Undoes all that there is, of the lab itself too: nothing can be made behind this. @throws MacvlabError UNDO_FAILED */
  async close(): Promise<void> {
    const [outermost] = this.#open;
    if (outermost) await this.leave(outermost);
  }

  /** Does work in a stretch of its own, which ends with it, however it ends. */
  async within<T>(name: string, work: () => Promise<T>): Promise<T> {
    const scope = this.enter(name);
    try {
      return await work();
    } finally {
      await this.leave(scope);
    }
  }
}
