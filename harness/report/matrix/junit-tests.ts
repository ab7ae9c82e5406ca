/** The cells of a kernel table as tests of JUnit: passed, skipped, a failure or an error. */
import type { Failure } from '../../run/record.js';
import type { Cell, FeatureRow, KernelTable, TableColumn, TableRow } from '../../matrix/compare/kernel-table.js';
import { explanationOf } from './findings.js';
import { classNameOf } from '../run/junit-parts.js';
import { plural, reasonOf, resumeCommand, silentColumns } from './words.js';
import { oneLine } from '../text.js';

/** The outcome of a test that did not simply pass. */
export interface Outcome extends Partial<Failure> {
  element: 'failure' | 'error' | 'skipped';
  message: string;
}

export interface JunitTest {
  className: string;
  name: string;
  durationMs: number;
  outcome?: Outcome;
  properties: Record<string, string | number | boolean>;
  /** Folder of its evidence, relative to the matrix's. */
  evidence?: string;
}

/** All tests of a kernel; none if all of them belong to another shard. */
export function testsOf(table: KernelTable, position: number): JunitTest[] {
  const column = table.columns[position];
  if (!column) return [];
  const { counts, failure } = column;
  const cells = table.rows.flatMap((row) => row.cells[position] ?? []);
  const absent = cells.filter(({ verdict }) => verdict === 'missing').length;
  const isSilent = silentColumns(table).has(position);
  // If some missing experiments belong to other shards, a cell does not show which. One test then reports the planned
  // ones.
  const isPerCell = !isSilent && absent === counts.missing;
  const rows = isSilent ? [] : table.rows.filter((row) => isPerCell || row.cells[position]?.verdict !== 'missing');
  const remarks = [
    ...(failure ? [{ element: 'error' as const, ...failure }] : []),
    ...(counts.missing > 0 && !isPerCell && !(failure && isSilent)
      ? [notPerformed(plural(counts.missing, 'experiment'))]
      : []),
  ];
  return [
    ...remarks.map((outcome, index) => wholeTest(column, outcome, index)),
    ...rows.flatMap((row) => experimentTest(table, column, row, row.cells[position])),
    ...table.features.flatMap((feature) => featureTest(column, feature, position)),
  ];
}

/** A test for the kernel as a whole: it did not boot, or nothing has run on it yet. */
function wholeTest(column: TableColumn, outcome: Outcome, index: number): JunitTest {
  const name = index === 0 ? 'the kernel as a whole' : 'what was planned on it';
  return {
    className: `${prefixOf(column)}.macvlab`,
    name,
    durationMs: 0,
    outcome,
    properties: { kernel: column.name },
  };
}

function notPerformed(what: string): Outcome {
  return { element: 'error', code: 'MISSING', message: `not performed: ${what}`, next: resumeCommand };
}

function experimentTest(table: KernelTable, column: TableColumn, row: TableRow, cell: Cell | undefined): JunitTest[] {
  if (!cell) return [];
  const { key, id, title } = row;
  const { durationMs = 0, expected, evidence, observed } = cell;
  const outcome = outcomeOf(table, cell);
  const values = Object.fromEntries(Object.entries(observed).map(([name, value]) => [`observed.${name}`, value]));
  const properties = { id, key, kernel: column.name, ...(expected !== undefined && { expected }), ...values };
  const about = {
    className: `${prefixOf(column)}.${classNameOf(row)}`,
    name: `${id} ${title}`,
    durationMs,
    properties,
  };
  return [{ ...about, ...(outcome && { outcome }), ...(evidence !== undefined && { evidence }) }];
}

/**
 * "6_12": Jenkins would read a name with dots as packages. Without this prefix, GitLab would join the results of all
 * kernels into one test, because it identifies tests by class and name alone.
 */
function prefixOf({ name }: TableColumn): string {
  return oneLine(name).replace(/[^\w-]+/g, '_');
}

function outcomeOf(table: KernelTable, cell: Cell): Outcome | undefined {
  const { verdict, failure, expected, alarm } = cell;
  const message = reasonOf(cell) ?? 'no reason was recorded';
  if (verdict === 'error') return { code: 'ERROR', ...failure, element: 'error', message };
  if (verdict === 'missing') return notPerformed('this experiment');
  if (alarm !== undefined) {
    const details = [reasonOf(cell), failure?.details].filter((part) => part !== undefined).join('\n');
    return {
      ...failure,
      element: 'failure',
      code: 'ALARM',
      message: `${verdict}, but ${alarm}`,
      ...(details && { details }),
    };
  }
  if (verdict === 'passed') return undefined;
  if (expected !== undefined) return { element: 'skipped', message: expectedWords(table, expected), details: message };
  if (verdict === 'skipped') return { ...failure, element: 'skipped', message };
  return { code: 'ASSERTION', ...failure, element: 'failure', message };
}

function expectedWords(table: KernelTable, name: string): string {
  const { reason, source } = explanationOf(table, name);
  return `expected to differ: ${reason}${source ? ` (${source})` : ''}`;
}

/** A feature is not a test, but one that contradicts a known difference is a failure. */
function featureTest(column: TableColumn, { group, name, cells }: FeatureRow, position: number): JunitTest[] {
  const cell = cells[position];
  if (cell?.alarm === undefined) return [];
  const message = `${cell.state}, but ${cell.alarm}`;
  const outcome: Outcome = { element: 'failure', code: 'ALARM', message, details: cell.words };
  const about = { className: `${prefixOf(column)}.features`, name: `${group}: ${name}`, durationMs: 0 };
  return [{ ...about, outcome, properties: { kernel: column.name } }];
}
