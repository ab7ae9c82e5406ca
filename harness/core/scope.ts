/** A stack of undos. Each creation immediately registers its undo, and closing runs the undos in reverse order. */
import { MacvlabError, messageOf } from './error.js';

interface Undo {
  what: string;
  undo: () => unknown;
  /** Whether adjacent branches may be undone at the same time. */
  branch: boolean;
}

/** The objects created in a scope of a run (a lab, a suite, a test), and how to remove them. */
export class Scope {
  readonly name: string;
  readonly #undos: Undo[] = [];
  #closing: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Registers the undo of a current action; a closed scope refuses it, because it would never run. */
  defer(what: string, undo: () => unknown): void {
    if (this.#closing) throw new Error(`${this.name} is closed already, so that nothing would undo: ${what}`);
    this.#undos.push({ what, undo, branch: false });
  }

  /**
   * A scope within this one for something independent. Adjacent branches are undone at the same time, each in its own
   * reverse order.
   */
  branch(name: string): Scope {
    const scope = new Scope(name);
    this.defer(name, () => scope.close());
    const own = this.#undos.at(-1);
    if (own) own.branch = true;
    return scope;
  }

  /**
   * Undoes everything, last first, also after errors; runs only once for several calls.
   * @throws MacvlabError UNDO_FAILED listing every undo that failed
   */
  async close(): Promise<void> {
    // A second caller also waits, but does not receive the failures again.
    if (this.#closing) return this.#closing.catch(() => undefined);
    await (this.#closing = this.#unwind());
  }

  async #unwind(): Promise<void> {
    await Promise.resolve();
    const failures: string[] = [];
    for (let steps = this.#takeLast(); steps.length > 0; steps = this.#takeLast()) {
      await Promise.all(
        steps.map(async ({ what, undo, branch }) => {
          try {
            await undo();
          } catch (error) {
            const inBranch = branch && error instanceof MacvlabError && error.code === 'UNDO_FAILED' && error.evidence;
            failures.push(...(inBranch ? inBranch.split('\n') : [`${what}: ${messageOf(error)}`]));
          }
        }),
      );
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
  /** Removes the last undo, or all branches at the end, from the stack. */
  #takeLast(): Undo[] {
    const last = this.#undos.at(-1);
    if (!last?.branch) return this.#undos.splice(-1);
    const before = this.#undos.findLastIndex(({ branch }) => !branch);
    return this.#undos.splice(before + 1);
  }
}
