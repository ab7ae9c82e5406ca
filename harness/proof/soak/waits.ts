/** Summarizes many waits in little memory: what was awaited, and how long it took at most. */
import type { WaitNote } from '../../core/wait.js';

export interface WaitSummary {
  what: string;
  /** Milliseconds of the longest wait. */
  longest: number;
  /** Milliseconds of its deadline. */
  deadline: number;
  /** How often it was awaited. */
  times: number;
}

/** How many waits are reported. */
const told = 20;

export class Waits {
  readonly #known = new Map<string, WaitSummary>();

  add({ what, took, deadline }: WaitNote): void {
    this.merge({ what: kindOf(what), longest: took, deadline: Math.round(deadline), times: 1 });
  }

  merge({ what, longest, deadline, times }: WaitSummary): void {
    const known = this.#known.get(what);
    if (!known) {
      this.#known.set(what, { what, longest, deadline, times });
      return;
    }
    known.times += times;
    if (longest > known.longest) Object.assign(known, { longest, deadline });
  }

  /** The longest waits, the longest first. */
  slowest(): WaitSummary[] {
    return [...this.#known.values()]
      .sort((a, b) => b.longest - a.longest)
      .slice(0, told)
      .map((wait) => ({ ...wait, longest: Math.round(wait.longest) }));
  }
}

/** Length, in characters, at which the name of a wait is cut. */
const longestName = 120;

/** The name of a wait without parts that vary: process ids and the like, and all lines of a script after the first. */
function kindOf(what: string): string {
  const [line = ''] = what.split('\n');
  return line
    .replace(/--\w{8,}--/g, '…')
    .replace(/\d{3,}/g, '…')
    .slice(0, longestName);
}
