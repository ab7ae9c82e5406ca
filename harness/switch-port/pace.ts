/** How often it is asked whether a port passes anything yet. */

/** Milliseconds between the first two questions. */
const first = 1000;

/**
 * How long to pause before it is asked once more. As long as has been waited already, so that it takes few questions however long that
 * goes on, on a machine that is slow as well; and no longer than it is to go on.
 * @param waited milliseconds since the first question
 * @param longest milliseconds from then on in which an answer may still come
 */
export function pauseBehind(waited: number, longest: number): number {
  return Math.max(0, Math.min(Math.max(first, waited), longest - waited));
}
