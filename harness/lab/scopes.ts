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

  /** Ends the innermost stretch, and undoes what it made. @throws MacvlabError UNDO_FAILED */
  async leave(): Promise<void> {
    await this.#open.pop()?.close();
  }
}
