/** A stack of undos: whatever is created registers its undo in the same breath, and closing unwinds in reverse. */
import { MacvlabError, messageOf } from './error.js';

interface Undo {
  what: string;
  undo: () => unknown;
  /** Whether it may be undone together with the branches next to it. */
  branch: boolean;
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
    this.#undos.push({ what, undo, branch: false });
  }

  /**
   * A scope within this one for something that stands by itself: branches that follow one another are undone side by
   * side, each in its own reverse order.
   */
  branch(name: string): Scope {
    const scope = new Scope(name);
    this.defer(name, () => scope.close());
    const own = this.#undos.at(-1);
    if (own) own.branch = true;
    return scope;
  }

  /**
   * Undoes everything, last first, whatever fails on the way; once, however often it is called.
   * @throws MacvlabError UNDO_FAILED listing every undo that failed
   */
  async close(): Promise<void> {
    // Who closes it again waits as well, and need not hear of the failures twice.
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
  /** Takes the last undo, or all branches at the end. */
  #takeLast(): Undo[] {
    const last = this.#undos.at(-1);
    if (!last?.branch) return this.#undos.splice(-1);
    const before = this.#undos.findLastIndex(({ branch }) => !branch);
    return this.#undos.splice(before + 1);
  }
}
