/** Runs tests side by side that wait most of the time, and share only processors. */
import { needs } from './needs.test-support.js';
import { findProgram } from './tools.mjs';

export interface SideBySide {
  title: string;
  /** Whether it is one of the longest tests: these begin first. */
  long?: boolean;
  /** Programs that it calls. */
  needs?: readonly string[];
  run(): Promise<void>;
}

/**
 * Declares tests of the surrounding suite that run side by side. All begin after the suite's hooks so far; each is
 * reported in its place.
 * @param atOnce how many run at a time
 */
export function sideBySide(atOnce: number, tests: readonly SideBySide[]): void {
  const begun = new Map<SideBySide, Promise<void>>();
  const waiting: (() => void)[] = [];
  let free = atOnce;
  let over = false;

  const inTurn = async (test: SideBySide): Promise<void> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      if (!over) await test.run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };

  before(() => {
    const wanted = tests.filter((test) => (test.needs ?? []).every((program) => findProgram(program) !== undefined));
    for (const test of [...wanted.filter(({ long }) => long), ...wanted.filter(({ long }) => !long)]) {
      const work = inTurn(test);
      // The test itself reports the error.
      work.catch(() => undefined);
      begun.set(test, work);
    }
  });
  // If the run is aborted, tests that have not begun are not started.
  after(async () => {
    over = true;
    await Promise.allSettled(begun.values());
  });
  for (const test of tests)
    it(test.title, function reported() {
      needs(this, ...(test.needs ?? []));
      return begun.get(test);
    });
}
