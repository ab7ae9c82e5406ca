/** A resource or permission that a lab lacks, detected during a set-up or an experiment, which is then skipped. */

/** The missing thing: a feature of the kernel, a suitable lab, a container engine, a suitable switch, a machine or a permission on it. */
export const lackKinds = ['feature', 'lab', 'engine', 'switch', 'machine'] as const;

export type LackKind = (typeof lackKinds)[number];

/**
 * Thrown by the objects of a lab. Its message is the reason in the record of a skipped experiment: "needs a router, and
 * the inventory names no third machine". It is not an error: external hosts and switches have limits.
 */
export class MissingPrerequisite extends Error {
  override readonly name = 'MissingPrerequisite';
  /** As stored in the record of a skipped experiment. */
  readonly kind: LackKind;

  constructor(kind: LackKind, words: string) {
    super(words);
    this.kind = kind;
  }
}
