/** What a lab does not have or may not do, found out in the middle of a set-up or an experiment: that is then skipped. */

/**
 * Thrown by the objects of a lab. Its message is the reason that the record of a skipped experiment gives: "needs a router, and the
 * inventory names no third machine". No error of anybody's: a lab on other people's hosts and switch is what it is.
 */
export class Lacking extends Error {
  override readonly name = 'Lacking';
}
