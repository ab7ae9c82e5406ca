/**
 * The record of a matrix: `matrix.json`, and below `kernels/<slot>/` one ordinary run folder per part of a kernel that
 * ran. Tables, baselines and merged reports use only these files.
 */
import type { MacvlanMode } from '../link/macvlan.js';
import type { Keyed } from '../run/keys/key.js';
import type { Failure, RunResults } from '../run/record.js';

/** An experiment with its key, and the fields that a table shows. */
export interface ExperimentKey extends Keyed {
  /** "X1.1" */
  id: string;
  title: string;
  /** Title of its outermost suite. */
  suite: string;
  /** "suites/x-open-questions.ts" */
  file: string;
}

/** The fields of an experiment of the catalogue that a matrix record contains. */
export function experimentKeyOf({ key, aliases, id, title, suite, file }: ExperimentKey): ExperimentKey {
  return { key, ...(aliases && { aliases }), id, title, suite, file };
}

/** One kernel of a matrix: a column of its table. */
export interface MatrixKernel {
  /** Its name in the table and in baselines: the user's choice ("6.12"), or a given name ("patched"). */
  name: string;
  /** The kernel for a VM lab: Debian's version ("6.12.117-1"), or the absolute path of an own kernel. */
  spec: string;
  /** To compare and sort: "6.12.117"; the whole release if an own kernel shows no more. */
  version: string;
  /** The output of `uname -r`; the path if only a boot shows the release. */
  release: string;
  /** "Debian trixie-security, 6.12.117-1"; absent for a user's own kernel. */
  origin?: string;
  /** Folder with the modules of a user's own kernel. */
  modules?: string;
  /** Of a user's own kernel: changes with each new build. */
  build?: string;
  /** Its folder below `kernels/`. */
  slot: string;
  /** The matrix's experiments that run on it, as positions in `experiments`; absent for all of them. */
  share?: number[];
  /** Why no run on this kernel could begin. */
  failure?: Failure;
}

/** `matrix.json`: written at the beginning, and again at the end. */
export interface MatrixRecord {
  /** The experiments of schema 1 had no keys; {@link ./folder.js} adds them. */
  schema: 2;
  /** "20261121-081500-4f2a"; also the folder's name. */
  id: string;
  macvlab: string;
  /** The command line after `macvlab`. */
  arguments: string[];
  machine: string;
  startedAt: string;
  /** Absent while it runs, or if it was killed. */
  endedAt?: string;
  /** Milliseconds; the sum of all sessions of a resumed matrix. */
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

/** The runs on a kernel: one, or several if it was resumed or merged; the oldest first. */
export interface KernelResults {
  kernel: MatrixKernel;
  runs: RunResults[];
}

/** A matrix that was read from its folder. */
export interface MatrixResults {
  folder: string;
  matrix: MatrixRecord;
  /** In the order of `matrix.kernels`. */
  kernels: KernelResults[];
}
