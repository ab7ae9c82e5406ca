/**
 * What a matrix leaves behind: `matrix.json`, and below `kernels/<slot>/` one ordinary run folder per part of a kernel that
 * was performed. Tables, baselines and merged reports are made from these files alone.
 */
import type { MacvlanMode } from '../link/macvlan.js';
import type { Failure, RunResults } from '../run/record.js';

/** An experiment as it is told apart from all others; see keyOf() of harness/run/record.ts. */
export interface ExperimentKey {
  /** "X1.1" */
  id: string;
  title: string;
  /** Title of its outermost suite. */
  suite: string;
  /** "suites/x-open-questions.ts" */
  file: string;
}

/** One kernel of a matrix: a column of its table. */
export interface MatrixKernel {
  /** What it is called in the table and in baselines: what was asked for ("6.12"), or the name that it was given ("patched"). */
  name: string;
  /** What is handed to a VM lab: Debian's version ("6.12.117-1"), or the absolute path of one's own kernel. */
  spec: string;
  /** For comparing and ordering: "6.12.117"; the whole release where a kernel of one's own says no more. */
  version: string;
  /** What `uname -r` says; the path where only its boot will tell. */
  release: string;
  /** "Debian trixie-security, 6.12.117-1"; absent for kernels of one's own. */
  origin?: string;
  /** Folder with the modules of one's own kernel. */
  modules?: string;
  /** Of one's own kernel: changes whenever it is built anew. */
  build?: string;
  /** Its folder below `kernels/`. */
  slot: string;
  /** Which of the matrix's experiments are performed on it, as positions in `experiments`; absent for all of them. */
  share?: number[];
  /** Why nothing could be performed on it, where not even a run could be begun. */
  failure?: Failure;
}

/** `matrix.json`: written at the beginning, and again at the end. */
export interface MatrixRecord {
  schema: 1;
  /** "20261121-081500-4f2a"; also the folder's name. */
  id: string;
  macvlab: string;
  /** The command line after `macvlab`. */
  arguments: string[];
  machine: string;
  startedAt: string;
  /** Absent while it is going on, or when it was killed. */
  endedAt?: string;
  /** Milliseconds; the sum where it was performed in several sittings. */
  durationMs?: number;
  /** True when SIGINT or SIGTERM ended it, until it is resumed. */
  interrupted: boolean;
  filters: string[];
  mode?: MacvlanMode;
  /** Part `index` of `count`, from 1. */
  shard?: { index: number; count: number };
  /** From the oldest to the newest. */
  kernels: MatrixKernel[];
  /** In the order of the catalogue. */
  experiments: ExperimentKey[];
}

/** What was performed on a kernel: one run, or several where it was resumed or merged; the oldest first. */
export interface KernelResults {
  kernel: MatrixKernel;
  runs: RunResults[];
}

/** A matrix read back from its folder. */
export interface MatrixResults {
  folder: string;
  matrix: MatrixRecord;
  /** In the order of `matrix.kernels`. */
  kernels: KernelResults[];
}
