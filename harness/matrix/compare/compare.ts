/** The comparison of a table with a baseline: new, vanished, fixed and worse results. */
import { keyOf } from '../../run/record.js';
import { hasKey } from '../../run/keys/key.js';
import type { Baseline, BaselineKernel } from './baseline.js';
import { ComparingKernel } from './compare-kernel.js';
import type { Comparison } from './comparison.js';
import type { KnownDifference } from './known-difference.js';
import { knownDifferences } from './known-differences.js';
import { Subjects } from './subjects.js';
import type { KernelTable } from './kernel-table.js';
import type { TableRow } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';

/** Whether a result is worse. New errors do not count: they give no information about a kernel. */
export function isWorse({ newFailures, newAlarms, changed }: Comparison): boolean {
  return newFailures.length > 0 || newAlarms.length > 0 || changed.some(({ worse }) => worse);
}

/**
 * Compares a table with a baseline.
 * @param baseline undefined if there is none yet
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
  const known = [...new Set(then.flatMap(({ experiments }) => experiments.map(({ experiment }) => experiment)))];
  return {
    newExperiments: rows.filter((row) => !known.some((key) => hasKey(row, key))).map(keyOf),
    vanishedExperiments: known.filter((key) => !rows.some((row) => hasKey(row, key))),
  };
}
