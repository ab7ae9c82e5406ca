/** The table of a matrix: experiments and features by kernels, and what differs between them. Plain data, made from records. */
import type { Failure, FeatureRecord, Verdict } from '../run/record.js';
import type { ExperimentKey } from './record.js';

/** A kernel's column. */
export interface TableColumn {
  /** "6.12" */
  name: string;
  /** "6.12.117" */
  version: string;
  release: string;
  origin?: string;
  counts: Record<Verdict | 'missing', number>;
  /** What kept the kernel as a whole from its verdicts. */
  failure?: Failure;
}

/** What became of an experiment on a kernel. */
export interface Cell {
  /** "missing" when it has not been performed (yet), and no error says why. */
  verdict: Verdict | 'missing';
  reason?: string;
  observed: Record<string, string | number | boolean>;
  /** Name of the known difference by which this verdict or one of its values was expected. */
  expected?: string;
  /** What is not as a known difference says: it no longer fails, or another value was seen. */
  alarm?: string;
  /** The folder of its evidence, relative to the matrix's. */
  evidence?: string;
}

export interface TableRow extends ExperimentKey {
  /** One per column. */
  cells: Cell[];
}

export interface FeatureRow {
  group: string;
  name: string;
  /** One per column; undefined where it was not asked. */
  cells: (Pick<FeatureRecord, 'state' | 'words'> | undefined)[];
}

/** Something that is not the same on all kernels that were asked. */
export interface Difference {
  kind: 'verdict' | 'observed' | 'feature';
  /** "X3.1 bridge, hairpin on: multicast", or the feature’s group and name. */
  subject: string;
  /** Of an observed value, its name. */
  value?: string;
  /** Where it changes from one kernel to the next that tells, from the oldest on. */
  changes: { since: string; after: string; from: string; to: string }[];
  /** Names of the known differences that explain it; empty when it is unexplained. */
  explained: string[];
}

export interface KernelTable {
  /** When the matrix began; of several parts the first: ISO 8601. */
  startedAt: string;
  /** Versions of macvlab that performed it. */
  macvlab: string[];
  machines: string[];
  /** Whether all that was planned has a record. */
  complete: boolean;
  columns: TableColumn[];
  rows: TableRow[];
  features: FeatureRow[];
  differences: Difference[];
}
