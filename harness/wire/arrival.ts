/** Waits in one view for frames that belong to no exchange. */
import { MacvlabError } from '../core/error.js';
import { type Mark, seen, type View } from './capture-point.js';
import type { Sighting } from './capture.js';
import type { FramePattern } from './pattern.js';

/** Milliseconds; only a frame that never arrives takes that long. */
const deadline = 5000;

/** The first frame of a pattern in a view since a mark; undefined when none came within the deadline. */
export async function firstSeen(view: View, pattern: FramePattern, since: Mark): Promise<Sighting | undefined> {
  const look = () => seen(view, since).find(({ frame }) => pattern.matches(frame));
  const what = `${pattern.description} to be seen at ${view.label}`;
  return firstOf(
    view.captures.map((capture) => capture.changes.until(look, { what, deadline: capture.timeout(deadline) })),
  );
}

/**
 * The result of the first of several waits that finds something; undefined when all have passed their deadlines.
 * @throws the error of any of them, such as MacvlabError CAPTURE_ENDED, when none has found anything
 */
export async function firstOf<T>(waits: readonly Promise<T>[]): Promise<T | undefined> {
  try {
    return await Promise.any(waits);
  } catch (error) {
    const failures: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = failures.find((each) => !(each instanceof MacvlabError && each.code === 'WAIT_DEADLINE'));
    if (other === undefined) return undefined;
    throw other as Error;
  }
}
