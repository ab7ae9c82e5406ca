/** A table compared with a baseline: what is new, what has gone, what has got better, and above all what has got worse. */
import { keyOf } from '../run/record.js';
import type { Baseline, BaselineKernel } from './baseline.js';
import { ComparingKernel } from './compare-kernel.js';
import type { KnownDifference } from './known-difference.js';
import { knownDifferences } from './known-differences.js';
import { Subjects } from './subjects.js';
import type { KernelTable, TableColumn, TableRow } from './table.js';

/** Something that is not as it was. */
export interface Deviation {
  /** The column's name, "6.12". */
  kernel: string;
  /** keyOf() of the experiment; group and name of a feature, "bridge port: hairpin"; absent for the kernel as a whole. */
  subject?: string;
  /** Of an observed value, its name. */
  value?: string;
  /** What the baseline has: a verdict, a value, a state; absent where it has nothing to compare with. */
  from?: string;
  to: string;
  /** Why it is so, in a line: the cell's reason, the alarm, the kernel's words. */
  reason?: string;
}

export interface ChangedValue extends Deviation {
  from: string;
  /** Names of the known differences that explain it. */
  explained: string[];
  /** True when nothing explains it, or nothing can be told any more where something could. */
  worse: boolean;
}

/** What has become of the kernels and experiments of a baseline. */
export interface Comparison {
  /** What was compared with; absent when there was none: then all is new, and nothing is worse. */
  baseline?: Pick<Baseline, 'date' | 'macvlab'>;
  /**
   * Unexpected failures that the baseline does not have; also those of new kernels and experiments, which nobody has accepted
   * yet.
   */
  newFailures: Deviation[];
  newErrors: Deviation[];
  newAlarms: Deviation[];
  /** What failed, or was an error, and has passed. */
  fixed: Deviation[];
  /** Observed values, features' states, and verdicts that are neither failures nor fixed: a test that is skipped now. */
  changed: ChangedValue[];
  newKernels: string[];
  vanishedKernels: string[];
  /** Kernels that have another release than then. */
  updatedKernels: { name: string; from: string; to: string }[];
  /** By keyOf(). */
  newExperiments: string[];
  vanishedExperiments: string[];
}

/** Whether something has got worse. New errors are not that: they tell nothing of a kernel. */
export function isWorse({ newFailures, newAlarms, changed }: Comparison): boolean {
  return newFailures.length > 0 || newAlarms.length > 0 || changed.some(({ worse }) => worse);
}

/**
 * Compares a table with a baseline.
 * @param baseline undefined where there is none yet
 * @param known the known differences that the table was made with
 */
export function compareWithBaseline(
  table: KernelTable,
  baseline: Baseline | undefined,
  known: readonly KnownDifference[] = knownDifferences,
): Comparison {
  const { columns, rows } = table;
  const comparison: Comparison = {
    ...(baseline && { baseline: { date: baseline.date, macvlab: baseline.macvlab } }),
    ...{ newFailures: [], newErrors: [], newAlarms: [], fixed: [], changed: [] },
    ...differingNames(columns, baseline?.kernels ?? []),
    ...differingExperiments(rows, baseline?.kernels ?? []),
  };
  if (!baseline) return comparison;
  const subjects = new Subjects(known);
  columns.forEach((column, position) => {
    const then = baseline.kernels.find(({ name }) => name === column.name);
    const comparing = new ComparingKernel(comparison, subjects, column, then);
    comparing.whole();
    for (const row of rows) comparing.experiment(row, row.cells[position]);
    for (const row of table.features) comparing.feature(row, row.cells[position]);
  });
  return comparison;
}

function differingNames(
  columns: readonly TableColumn[],
  then: readonly BaselineKernel[],
): Pick<Comparison, 'newKernels' | 'vanishedKernels' | 'updatedKernels'> {
  const names = columns.map(({ name }) => name);
  const known = then.map(({ name }) => name);
  return {
    newKernels: names.filter((name) => !known.includes(name)),
    vanishedKernels: known.filter((name) => !names.includes(name)),
    updatedKernels: columns.flatMap(({ name, release }) => {
      const before = then.find((kernel) => kernel.name === name);
      return before && before.release !== release ? [{ name, from: before.release, to: release }] : [];
    }),
  };
}

function differingExperiments(
  rows: readonly TableRow[],
  then: readonly BaselineKernel[],
): Pick<Comparison, 'newExperiments' | 'vanishedExperiments'> {
  const keys = new Set(rows.map(keyOf));
  const known = new Set(then.flatMap(({ experiments }) => experiments.map(({ experiment }) => experiment)));
  return {
    newExperiments: [...keys].filter((key) => !known.has(key)),
    vanishedExperiments: [...known].filter((key) => !keys.has(key)),
  };
}
