/** Counts a test's assertions: a test that passes without any proves nothing, and is an error. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { MacvlabError } from '../core/error.js';

/** The assertions during some work. */
export interface AssertionCounter {
  /** The number of assertions. */
  made: number;
  /** Asynchronous assertions, awaited by the test or not. */
  pending: Promise<unknown>[];
  /** The first failed assertion: a test that catches its error still fails. */
  failure?: unknown;
  /** Calls of expect() without an assertion yet: `expect(ping).to.be.answered` lacks its call. */
  open: Set<Statement>;
  /** The name of the work, once it has ended: a later assertion proves nothing. */
  ended?: string;
}

/** One call of expect(). */
export interface Statement {
  /** Its place: a line of its stack. */
  at: string;
}

/** A counter for the assertions of some work. */
export function newAssertionCounter(): AssertionCounter {
  return { made: 0, pending: [], open: new Set() };
}

const counting = new AsyncLocalStorage<AssertionCounter>();

/**
 * Does work, and counts its assertions, also in everything that it awaits.
 * @param counter increased during the work
 */
export function countAssertions<T>(counter: AssertionCounter, work: () => Promise<T>): Promise<T> {
  return counting.run(counter, work);
}

/**
 * Waits for the asynchronous assertions, and ends the counting.
 * @param what the work: "A1.3"
 * @throws MacvlabError NO_EVIDENCE when an expect() has asserted nothing; the error of a failed assertion
 */
export async function settleAssertions(counter: AssertionCounter, what: string): Promise<void> {
  // During this wait, further assertions may follow.
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

/** Records a call of expect(); undefined where there is no counter. */
export function noteStatement(): Statement | undefined {
  const counter = counting.getStore();
  if (!counter) return undefined;
  // The first lines of the stack are this function and expect() itself.
  const one = { at: new Error().stack?.split('\n')[3]?.trim() ?? '' };
  counter.open.add(one);
  return one;
}

/**
 * Records an assertion.
 * @param statement the result of {@link noteStatement} for its expect()
 * @throws MacvlabError NO_EVIDENCE when its work has ended
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

/** Records the name of an assertion, which still has to be called: `expect(ping).to.exist.and.be.answered` lacks its call. */
export function noteNamed(statement: unknown): void {
  if (statement !== undefined) counting.getStore()?.open.add(statement as Statement);
}

/** Records a failed assertion. */
export function noteFailure(error: unknown): void {
  const counter = counting.getStore();
  if (counter) counter.failure ??= error;
}

/** Records an asynchronous assertion. */
export function notePending(settled: Promise<unknown>): void {
  counting.getStore()?.pending.push(settled);
}
