/** The result of a comparison of a kernel table with a baseline. */

import type { Baseline } from './baseline.js';

/** A difference from the baseline. */
export interface Deviation {
  /** The column's name, "6.12". */
  kernel: string;
  /** keyOf() of the experiment; group and name of a feature, "bridge port: hairpin"; absent for the kernel as a whole. */
  subject?: string;
  /** Name of the observed value, if it is about one. */
  value?: string;
  /** The baseline's verdict, value or state; absent if the baseline has none. */
  from?: string;
  to: string;
  /** The reason in one line: the cell's reason, the alarm, or the kernel's message. */
  reason?: string;
}
export interface ChangedValue extends Deviation {
  from: string;
  /** Names of the known differences that explain it. */
  explained: string[];
  /**
   * True if no known difference explains it. A verdict is worse only if it was passed and is skipped; a feature, only
   * if its state was not "unknown".
   */
  worse: boolean;
}
/** The changes in the kernels and experiments of a baseline. */
export interface Comparison {
  /** The baseline; absent if there was none: then all is new, and nothing is worse. */
  baseline?: Pick<Baseline, 'date' | 'macvlab'>;
  /** Unexpected failures that the baseline does not have. Those of new kernels and experiments count, since no baseline accepts them yet. */
  newFailures: Deviation[];
  newErrors: Deviation[];
  newAlarms: Deviation[];
  /** Failures and errors of the baseline that now pass. */
  fixed: Deviation[];
  /** Observed values, feature states, and verdicts that are neither failures nor fixed, such as a new skip. */
  changed: ChangedValue[];
  newKernels: string[];
  vanishedKernels: string[];
  /** Kernels with another release than in the baseline. */
  updatedKernels: { name: string; from: string; to: string }[];
  /** By keyOf(). */
  newExperiments: string[];
  vanishedExperiments: string[];
}
