/** The record of a bisection over kernels: `bisection.json`. The run of each tried kernel is below `kernels/<slot>/`. */
import type { Failure } from '../../run/record.js';
import type { ExperimentKey, MatrixKernel } from '../record.js';

/** The result of an experiment: a verdict or an observed value; null if it observed no value of that name. */
export type ObservedValue = string | number | boolean | null;

/** A result that differs between the good and the bad kernel. */
export interface Criterion {
  /** keyOf() of the experiment. */
  experiment: string;
  /** Name of the observed value; absent for the verdict. */
  value?: string;
  good: ObservedValue;
  bad: ObservedValue;
}

/** The result of a kernel. */
export interface Finding {
  /** According to the criteria: as on the good kernel, different, or no result. */
  side: 'good' | 'bad' | 'cannot tell';
  /** The result, or why there is none, in one line. */
  words: string;
}

export interface TriedKernel extends MatrixKernel {
  /** The step that tried it: 0 for the two given kernels, 1 for the first step after them. */
  step?: number;
  /** Absent if the kernel was not tried, or if its try did not finish. */
  finding?: Finding;
  /** Its run's folder, relative to the bisection's. */
  folder?: string;
}

/** The kernels next to the change, by their `spec`. */
export interface BisectionAnswer {
  /** The two kernels with a result that have no other kernel with a result between them. */
  good: string;
  bad: string;
  /** The kernels between them that gave no result. */
  cannotTell: string[];
  /** The kernels between them that were not tried. At the end there are some only after an interruption. */
  untried: string[];
  /** Kernels after the change with the reading of the oldest kernel. They show that there are other changes too. */
  otherwise: string[];
}

/** `bisection.json`: written at the beginning, after each step, and at the end. */
export interface BisectionRecord {
  /** In schema 1, criteria named an experiment by id and title. */
  schema: 2;
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
  /** The experiment as the user named it: "A1.3". */
  filter: string;
  /** All with the same id. */
  experiments: ExperimentKey[];
  /** Which end of `kernels` is the good one: the newest if the bisection searches for a fix. */
  good: 'oldest' | 'newest';
  /** Whether `kernels` has only the newest of each series between its ends. */
  seriesOnly: boolean;
  /** From the oldest to the newest; the ends are the given kernels. */
  kernels: TriedKernel[];
  /** The differences between good and bad; empty until both have run, and if they do not differ. */
  criteria: Criterion[];
  /** The answer so far; absent until there are criteria. */
  answer?: BisectionAnswer;
  /** Why the search could not begin, or found nothing. */
  failure?: Failure;
}
