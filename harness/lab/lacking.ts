/** What a lab does not have or may not do, found out in the middle of a set-up or an experiment: that is then skipped. */

/** What is lacking: a feature of the kernel, a lab that could carry it, a container engine, a switch that can do it, a machine or a right there. */
export const lackKinds = ['feature', 'lab', 'engine', 'switch', 'machine'] as const;

export type LackKind = (typeof lackKinds)[number];

/**
 * Thrown by the objects of a lab. Its message is the reason that the record of a skipped experiment gives: "needs a router, and the
 * inventory names no third machine". No error of anybody's: a lab on other people's hosts and switch is what it is.
 */
export class Lacking extends Error {
  override readonly name = 'Lacking';
  /** As the record of a skipped experiment keeps it. */
  readonly kind: LackKind;

  constructor(kind: LackKind, words: string) {
    super(words);
    this.kind = kind;
  }
}
