/** The table of a matrix: one column per kernel, one row per experiment and feature. */

import type { Verdict, Failure, FeatureRecord } from '../../run/record.js';
import type { ExperimentKey } from '../record.js';
import type { KnownDifference } from './known-difference.js';

/** A kernel's column. */
export interface TableColumn {
  /** "6.12" */
  name: string;
  /** "6.12.117" */
  version: string;
  release: string;
  origin?: string;
  /** "missing" counts only planned experiments. */
  counts: Record<Verdict | 'missing', number>;
  /** The failure that kept the kernel as a whole from its verdicts, or that came after the last one. */
  failure?: Failure;
}
/** The result of an experiment on a kernel. */
export interface Cell {
  /** "missing" if it has not run (yet) or belongs to another shard, and no error is the reason. */
  verdict: Verdict | 'missing';
  reason?: string;
  /** The whole failure or error. */
  failure?: Failure;
  /** Duration in milliseconds; absent if it has no record. */
  durationMs?: number;
  observed: Record<string, string | number | boolean>;
  /**
   * Name of the known difference that expects this failure or skip; for a pass, of one that expects an observed value.
   * A failure without it is unexpected, regardless of its values.
   */
  expected?: string;
  /** The contradiction to a known difference, in a sentence: it no longer fails, or it shows another value. */
  alarm?: string;
  /** The folder of its evidence, relative to the matrix's. */
  evidence?: string;
}
export interface TableRow extends ExperimentKey {
  /** One per column. */
  cells: Cell[];
}
/** The state of a feature on a kernel; `expected` and `alarm` as in a {@link Cell}. */
export interface FeatureCell extends Pick<FeatureRecord, 'state' | 'words'> {
  expected?: string;
  alarm?: string;
}
export interface FeatureRow {
  group: string;
  name: string;
  /** One per column; undefined if the feature was not probed there. */
  cells: (FeatureCell | undefined)[];
}
/** A step from a kernel to the next one with a value. */
export interface Change {
  /** Name of the first kernel with the new value, "7.2". */
  since: string;
  /** Name of the last kernel with the old value, "6.18". */
  after: string;
  from: string;
  to: string;
  /** Names of the known differences that explain it; empty if it is unexplained. */
  explained: string[];
}
/** A property that is not the same on all kernels that have a value. */
export interface Difference {
  kind: 'verdict' | 'observed' | 'feature';
  /** keyOf() of the experiment, "x3-multicast-bridge-hairpin-on"; or the feature’s group and name, "bridge port: hairpin". */
  subject: string;
  /** Name of the observed value, if it is about one. */
  value?: string;
  /** From the oldest kernel on; never empty. */
  changes: Change[];
  /** Names of the known differences that together explain each of the changes; empty if one of them is unexplained. */
  explained: string[];
}
export interface KernelTable {
  /** Start of its first experiment, ISO 8601. */
  startedAt: string;
  /** Versions of macvlab that ran it, sorted; nearly always one. */
  macvlab: string[];
  machines: string[];
  /** Whether each planned experiment has a record, or a failure of its kernel as the reason for its absence. */
  complete: boolean;
  columns: TableColumn[];
  rows: TableRow[];
  features: FeatureRow[];
  /** Experiments first, in the order of the rows. */
  differences: Difference[];
  /** The known differences that this table names, with their reasons and sources. */
  known: KnownDifference[];
}
