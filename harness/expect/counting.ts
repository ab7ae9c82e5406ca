/** Counts what a test asserts: one whose passing rests on nothing proves nothing, and is an error. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { MacvlabError } from '../core/error.js';

/** What has been asserted in a stretch of work. */
export interface AssertionCounter {
  /** How many assertions were made. */
  made: number;
  /** Those that take time, whether somebody awaits them or not. */
  pending: Promise<unknown>[];
  /** The first of them that did not hold: who catches it has not made it hold. */
  failure?: unknown;
  /** What expect() was called with and nothing has been asserted about yet: `expect(ping).to.be.answered` lacks its call. */
  open: Set<Statement>;
  /** What the work was, once it has ended: an assertion that comes later proves nothing any more. */
  ended?: string;
}

/** One call of expect(). */
export interface Statement {
  /** Where it stands: a line of its stack. */
  at: string;
}

/** What is needed to count the assertions of a stretch of work. */
export function newAssertionCounter(): AssertionCounter {
  return { made: 0, pending: [], open: new Set() };
}

const counting = new AsyncLocalStorage<AssertionCounter>();

/**
 * Does work, and counts the assertions that it makes, in whatever it awaits too: a test whose passing rests on none proves
 * nothing.
 * @param counter counted up while the work goes on
 */
export function countAssertions<T>(counter: AssertionCounter, work: () => Promise<T>): Promise<T> {
  return counting.run(counter, work);
}

/**
 * Waits for the assertions that take time, and ends the counting.
 * @param what the work: "A1.3"
 * @throws MacvlabError NO_EVIDENCE when an expect() has asserted nothing; what an assertion has thrown
 */
export async function settleAssertions(counter: AssertionCounter, what: string): Promise<void> {
  // One that is awaited here may be followed by another.
  for (let settled = 0; settled < counter.pending.length;) {
    settled = counter.pending.length;
    await Promise.all(counter.pending);
  }
  counter.ended = what;
  if (counter.failure !== undefined) throw counter.failure as Error;
  const [forgotten] = counter.open;
  if (forgotten) {
    throw new MacvlabError('NO_EVIDENCE', `${what} has an expect() that asserts nothing`, {
      evidence: forgotten.at,
      next: 'complete it: an assertion such as `answered` is called, answered()',
    });
  }
}

/** Notes that expect() is called; undefined where nobody counts. */
export function noteStatement(): Statement | undefined {
  const counter = counting.getStore();
  if (!counter) return undefined;
  // Above us are this function and expect() itself.
  const one = { at: new Error().stack?.split('\n')[3]?.trim() ?? '' };
  counter.open.add(one);
  return one;
}

/**
 * Notes that an assertion is made.
 * @param statement what {@link noteStatement} has returned for its expect()
 * @throws MacvlabError NO_EVIDENCE when the work that it belongs to has ended
 */
export function noteAssertion(statement: unknown): void {
  const counter = counting.getStore();
  if (!counter) return;
  if (counter.ended !== undefined) {
    throw new MacvlabError('NO_EVIDENCE', `an assertion of ${counter.ended} was made when that had ended`, {
      next: 'await in the experiment whatever it begins: what comes later is not in its record',
    });
  }
  counter.made++;
  counter.open.delete(statement as Statement);
}

/** Notes that an assertion is named, which is still to be called: `expect(ping).to.exist.and.be.answered` lacks its call. */
export function noteNamed(statement: unknown): void {
  if (statement !== undefined) counting.getStore()?.open.add(statement as Statement);
}

/** Notes that an assertion did not hold. */
export function noteFailure(error: unknown): void {
  const counter = counting.getStore();
  if (counter) counter.failure ??= error;
}

/** Notes an assertion that takes time. */
export function notePending(settled: Promise<unknown>): void {
  counting.getStore()?.pending.push(settled);
}
