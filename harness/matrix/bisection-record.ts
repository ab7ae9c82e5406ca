/** What a bisection over kernels leaves behind: `bisection.json`, and below `kernels/<slot>/` the run of each that was tried. */
import type { Failure } from '../run/record.js';
import type { ExperimentKey, MatrixKernel } from './record.js';

/** What an experiment shows: a verdict, or a value that it observed; null where it observed none of that name. */
export type Shown = string | number | boolean | null;

/** Something that the good and the bad kernel do differently. */
export interface Criterion {
  /** keyOf() of the experiment. */
  experiment: string;
  /** Name of the observed value; absent where it is the verdict. */
  value?: string;
  good: Shown;
  bad: Shown;
}

/** What a kernel has told. */
export interface Finding {
  /** By the criteria: as on the good kernel, otherwise, or neither can be said. */
  side: 'good' | 'bad' | 'cannot tell';
  /** What it showed, or why it cannot tell, in one line. */
  words: string;
}

export interface TriedKernel extends MatrixKernel {
  /** When it was tried: 0 for the two that were given, 1 for what was tried first after them. */
  step?: number;
  /** Absent where it was not tried, or not to its end. */
  finding?: Finding;
  /** Its run's folder, relative to the bisection's. */
  folder?: string;
}

/** Where the change is; kernels by their `spec`. */
export interface BisectionAnswer {
  /** The two kernels that tell, and have none between them that does. */
  good: string;
  bad: string;
  /** Those between them that could not tell. */
  cannotTell: string[];
  /** Those between them that were not tried: some only where it was interrupted. */
  untried: string[];
  /** Kernels that are as the good one on the wrong side of the change: there is more than one change, and this is one of them. */
  otherwise: string[];
}

/** `bisection.json`: written at the beginning, after each step, and at the end. */
export interface BisectionRecord {
  schema: 1;
  /** "20261121-081500-4f2a"; also the folder's name. */
  id: string;
  macvlab: string;
  /** The command line after `macvlab`. */
  arguments: string[];
  machine: string;
  startedAt: string;
  endedAt?: string;
  /** Milliseconds. */
  durationMs?: number;
  interrupted: boolean;
  /** What was said of the experiment: "A1.3". */
  filter: string;
  /** All with the same id. */
  experiments: ExperimentKey[];
  /** Which end of `kernels` is the good one: the newest where something was fixed. */
  good: 'oldest' | 'newest';
  /** Whether of each series only the newest is among them. */
  seriesOnly: boolean;
  /** From the oldest to the newest; the ends are those that were given. */
  kernels: TriedKernel[];
  /** What good and bad differ in; empty before both were performed, and where they do not differ. */
  criteria: Criterion[];
  /** As far as it is known; absent before there are criteria. */
  answer?: BisectionAnswer;
  /** Why nothing could be searched for, or found. */
  failure?: Failure;
}
