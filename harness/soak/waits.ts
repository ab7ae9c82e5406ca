/** What was awaited, and how long that took at most: a summary of many waits that stays small. */
import type { WaitNote } from '../core/wait.js';

export interface WaitSummary {
  what: string;
  /** Milliseconds of the longest. */
  longest: number;
  /** Milliseconds that it might have taken. */
  deadline: number;
  /** How often it was awaited. */
  times: number;
}

/** How many are told. */
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

  /** Those that took longest, the longest first. */
  slowest(): WaitSummary[] {
    return [...this.#known.values()]
      .sort((a, b) => b.longest - a.longest)
      .slice(0, told)
      .map((wait) => ({ ...wait, longest: Math.round(wait.longest) }));
  }
}

/** Characters of what was awaited that are kept. */
const longestName = 120;

/** What was awaited without what is another each time: process ids and the like, and all lines of a script but the first. */
function kindOf(what: string): string {
  const [line = ''] = what.split('\n');
  return line
    .replace(/--\w{8,}--/g, '…')
    .replace(/\d{3,}/g, '…')
    .slice(0, longestName);
}
