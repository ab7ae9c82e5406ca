/** The result of a matrix as a whole: its exit code, and its last lines. */
import { exitCode } from '../core/error.js';
import { isWorse } from './compare/compare.js';
import { type Comparison } from './compare/comparison.js';
import type { KernelTable } from './compare/kernel-table.js';
import type { Cell } from './compare/kernel-table.js';
import type { TableColumn } from './compare/kernel-table.js';

export interface MatrixOutcome {
  table: KernelTable;
  /** True when SIGINT or SIGTERM ended it. */
  interrupted: boolean;
  /** With a baseline: the comparison. Without one, every unexpected result counts. */
  comparison?: Comparison | undefined;
}

/**
 * The exit code of a matrix. 130 if it was interrupted. 1 if a test failed unexpectedly or a known difference raised an
 * alarm; with a baseline, if a result is worse. 3 for errors (with a baseline: new ones), and for planned experiments
 * that did not run. Otherwise 0.
 */
export function exitCodeOfMatrix({ table, interrupted, comparison }: MatrixOutcome): number {
  if (interrupted) return exitCode.interrupted;
  if (comparison ? isWorse(comparison) : unexpected(table) > 0) return exitCode.failed;
  const errors = comparison ? comparison.newErrors.length : countErrors(table);
  return errors > 0 || !table.complete || isEmpty(table) ? exitCode.lab : exitCode.ok;
}

/** The last lines: remarks, then "N passed, N failed, N skipped" over all kernels. */
export function matrixSummary({ table, comparison }: Pick<MatrixOutcome, 'table' | 'comparison'>): string[] {
  return [...remarks(table), ...(comparison ? [comparisonLine(comparison)] : []), matrixSummaryLine(table)];
}

/**
 * "N passed, N failed, N skipped", as for a run. Errors count as failed, because they prove nothing. A failure or skip
 * that a known difference expects counts as passed, because the kernel behaves as expected.
 */
function matrixSummaryLine({ rows }: Pick<KernelTable, 'rows'>): string {
  const cells = rows.flatMap((row) => row.cells);
  const expected = cells.filter(isExpected).length;
  const count = (verdict: Cell['verdict']) =>
    cells.filter((cell) => cell.verdict === verdict && !isExpected(cell)).length;
  const failed = count('failed') + count('error');
  return `${count('passed') + expected} passed, ${failed} failed, ${count('skipped')} skipped`;
}

/** A failure or skip that a known difference expects. */
function isExpected({ verdict, expected }: Cell): boolean {
  return expected !== undefined && (verdict === 'failed' || verdict === 'skipped');
}

/** Number of unexpected failures and of alarms. */
function unexpected(table: KernelTable): number {
  const failures = table.rows
    .flatMap(({ cells }) => cells)
    .filter((cell) => cell.verdict === 'failed' && !isExpected(cell));
  return failures.length + countAlarms(table);
}

function countAlarms({ rows, features }: KernelTable): number {
  return [...rows, ...features].flatMap(({ cells }) => cells.filter((cell) => cell?.alarm !== undefined)).length;
}

function countErrors({ columns }: KernelTable): number {
  return columns.reduce((sum, { counts, failure }) => sum + Math.max(counts.error, failure ? 1 : 0), 0);
}

function isEmpty({ columns, rows }: KernelTable): boolean {
  return columns.length === 0 || rows.length === 0;
}

function remarks(table: KernelTable): string[] {
  const { columns, rows } = table;
  const cells = rows.flatMap((row) => row.cells);
  const sum = (of: (column: TableColumn) => number) => columns.reduce((total, column) => total + of(column), 0);
  const errors = sum(({ counts }) => counts.error);
  const missing = sum(({ counts }) => counts.missing);
  const failing = cells.filter((cell) => cell.verdict === 'failed' && isExpected(cell)).length;
  const skipped = cells.filter((cell) => cell.verdict === 'skipped' && isExpected(cell)).length;
  const alarms = countAlarms(table);
  const asKnown = [failing > 0 && `${failing} failed`, skipped > 0 && `${skipped} skipped`]
    .filter(Boolean)
    .join(' and ');
  return [
    ...(missing > 0 ? [`not performed: ${missing}`] : []),
    ...(errors > 0 ? [`of the failed, ${errors === 1 ? '1 was an error' : `${errors} were errors`} of the lab`] : []),
    ...(asKnown ? [`of the passed, ${asKnown} as known differences say`] : []),
    ...(alarms > 0 ? [`${alarms === 1 ? '1 alarm' : `${alarms} alarms`}: not as a known difference says`] : []),
  ];
}

/** "against the baseline of 2026-11-20: 1 new failure, 2 fixed"; "nothing has changed". */
function comparisonLine(comparison: Comparison): string {
  const { baseline, newFailures, newErrors, newAlarms, fixed, changed, newKernels, vanishedKernels } = comparison;
  if (!baseline) return 'there was no baseline to compare with';
  const counts: [number, string, string][] = [
    [newFailures.length, 'new failure', 'new failures'],
    [newErrors.length, 'new error', 'new errors'],
    [newAlarms.length, 'new alarm', 'new alarms'],
    [fixed.length, 'fixed', 'fixed'],
    [changed.length, 'changed', 'changed'],
    [newKernels.length, 'new kernel', 'new kernels'],
    [vanishedKernels.length, 'vanished kernel', 'vanished kernels'],
    [comparison.newExperiments.length, 'new experiment', 'new experiments'],
    [comparison.vanishedExperiments.length, 'vanished experiment', 'vanished experiments'],
  ];
  const said = counts
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  return `against the baseline of ${baseline.date.slice(0, 10)}: ${said.join(', ') || 'nothing has changed'}`;
}
