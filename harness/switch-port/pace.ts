/** The pauses between requests that test whether a port passes anything yet. */

/** Milliseconds between the first two requests. */
const first = 1000;

/**
 * How long to pause before the next request: as long as the wait so far, and at most until the end. So there are few
 * requests in a wait of any length, on a slow machine as well.
 * @param waited milliseconds since the first request
 * @param longest milliseconds from then on in which a reply may still arrive
 */
export function pauseBehind(waited: number, longest: number): number {
  return Math.max(0, Math.min(Math.max(first, waited), longest - waited));
}
