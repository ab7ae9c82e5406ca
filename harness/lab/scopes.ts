/** The nested scopes of a run: lab, suite, test. The end of the innermost scope undoes what was created in it. */
import { Scope } from '../core/scope.js';

export class Scopes {
  readonly #open: Scope[] = [new Scope('the lab')];

  /** The innermost open scope. */
  get current(): Scope {
    const scope = this.#open.at(-1);
    if (!scope) throw new Error('the lab is closed');
    return scope;
  }

  /** Begins a scope within the current one. */
  enter(name: string): Scope {
    const scope = new Scope(name);
    this.#open.push(scope);
    return scope;
  }

  /**
   * Ends a scope, by default the innermost, with all open scopes in it, and undoes their changes.
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

  /** Undoes all changes, also of the lab itself. Nothing can be created after this. @throws MacvlabError UNDO_FAILED */
  async close(): Promise<void> {
    const [outermost] = this.#open;
    if (outermost) await this.leave(outermost);
  }

  /** Does work in a separate scope, which ends with the work, also after an error. */
  async within<T>(name: string, work: () => Promise<T>): Promise<T> {
    const scope = this.enter(name);
    try {
      return await work();
    } finally {
      await this.leave(scope);
    }
  }
}
