/** What a matrix and its workers say to each other: each kernel is performed by a process of its own. */
import type { Failure, TestRecord } from '../run/record.js';

/** What a worker is to perform. */
export interface Work {
  /** What `--kernel` takes. */
  kernel: string;
  /** What `--modules` takes. */
  modules?: string;
  /** The experiments, by keyOf(). */
  only: readonly string[];
  /** Labs side by side. */
  jobs: number;
  /** Whether the kernel’s features are probed. */
  probeFeatures: boolean;
  /** Folder in which the run's own folder is made. */
  out: string;
  /** The matrix's command line, for the run's record. */
  arguments: readonly string[];
}

/** What a worker is told. */
export type Order = { kind: 'perform'; work: Work } | { kind: 'stop'; why: string };

/** What a worker tells. */
export type Report =
  | { kind: 'ready' }
  | { kind: 'remark'; line: string }
  /** The lab stands. */
  | { kind: 'begun' }
  | { kind: 'started'; title: string }
  | { kind: 'ended'; record: TestRecord }
  /** The run has ended, in whatever way; its folder tells. */
  | { kind: 'done'; folder: string }
  /** Not even a run could be begun. */
  | { kind: 'failed'; failure: Failure };
