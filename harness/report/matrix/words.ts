/** Words that all views of a kernel table share: verdicts, counts, and the kernels that differ. */
import { keyOf } from '../../run/record.js';
import type {
  Cell,
  FeatureCell,
  FeatureRow,
  KernelTable,
  TableColumn,
  TableRow,
} from '../../matrix/compare/kernel-table.js';
import type { Tone } from '../document/document.js';
import { stretchesOf } from '../document/groups.js';

/** The tone of a cell: its verdict, or the effect of a known difference. */
export function toneOf({ verdict, expected, alarm }: Cell): Tone {
  if (alarm !== undefined) return 'alarm';
  return expected !== undefined && verdict !== 'error' && verdict !== 'missing' ? 'expected' : verdict;
}

/** The word for a cell in a table. */
export function wordOf(cell: Cell): string {
  const tone = toneOf(cell);
  if (tone === 'alarm') return 'ALARM';
  if (tone === 'expected' && cell.verdict === 'failed') return 'differs';
  return { passed: 'passed', skipped: 'skipped', failed: 'FAILED', error: 'ERROR', missing: '–' }[cell.verdict];
}

/** The reason for a cell's verdict, in one line. */
export function reasonOf({ reason, failure }: Cell): string | undefined {
  return reason ?? failure?.message;
}

/** The meanings of a table's words. */
export const legend: Record<string, string> = {
  passed: 'as expected, shown by frames on the wire',
  FAILED: 'not as expected, although the positive control did pass',
  differs: 'fails, as a known difference says',
  ALARM: 'not as a known difference says: it, or the kernel, has changed',
  skipped: 'the kernel lacks something that the experiment needs',
  ERROR: 'nothing can be said: the lab could not be trusted',
  '–': 'not performed',
};

/** The command that runs the rest of an interrupted matrix. */
export const resumeCommand = 'macvlab matrix --resume';

/** The word for a feature's state on a kernel. */
export function featureWordOf(cell: FeatureCell | undefined): string {
  if (!cell) return '–';
  if (cell.alarm !== undefined) return 'ALARM';
  return { supported: 'supported', refused: 'refused', ignored: 'silently ignored', unknown: 'unknown' }[cell.state];
}

/** A missing feature is no failure. A feature that the kernel accepts and then ignores is marked. */
export function featureToneOf(cell: FeatureCell | undefined): Tone {
  if (!cell) return 'missing';
  if (cell.alarm !== undefined) return 'alarm';
  return ({ supported: 'passed', refused: 'skipped', ignored: 'expected', unknown: 'error' } as const)[cell.state];
}

/** Whether the probed kernels have different states. */
export function featureDiffers({ cells }: FeatureRow): boolean {
  return new Set(cells.flatMap((cell) => cell?.state ?? [])).size > 1;
}

/** "Kernel table of 2026-11-21"; without the day if nothing has run. */
export function titleOf({ startedAt }: KernelTable): string {
  return startedAt ? `Kernel table of ${startedAt.slice(0, 10)}` : 'Kernel table';
}

/** "begun 2026-11-21 08:15 UTC, macvlab 0.1.0, on bench1" */
export function circumstances({ startedAt, macvlab, machines }: KernelTable): string {
  const begun = startedAt && `begun ${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`;
  const versions = macvlab.length > 0 && `macvlab ${macvlab.join(', ')}`;
  const on = machines.length > 0 && `on ${machines.join(', ')}`;
  return [begun, versions, on].filter(Boolean).join(', ');
}

type Counts = TableColumn['counts'];

/** "130 passed, 2 failed": zero counts are left out, except for passed. */
export function countWords({ passed, failed, error, skipped, missing }: Counts): string {
  const others = [
    failed && `${failed} failed`,
    error && plural(error, 'error'),
    skipped && `${skipped} skipped`,
    missing && `${missing} not performed`,
  ];
  return [`${passed} passed`, ...others.filter(Boolean)].join(', ');
}

/** "6 kernels, 132 experiments" */
function sizeWords({ columns, rows }: KernelTable): string {
  return `${plural(columns.length, 'kernel')}, ${plural(rows.length, 'experiment')}`;
}

/** "6 kernels, 132 experiments: 780 passed, 2 failed; of the failed, 1 as expected; 1 alarm" */
export function totalWords(table: KernelTable): string {
  const { columns, rows, features } = table;
  const sum: Counts = { passed: 0, failed: 0, error: 0, skipped: 0, missing: 0 };
  for (const { counts } of columns) {
    for (const verdict of Object.keys(sum) as (keyof Counts)[]) sum[verdict] += counts[verdict];
  }
  const cells = rows.flatMap((row) => row.cells);
  const asExpected = cells.filter((cell) => cell.verdict === 'failed' && toneOf(cell) === 'expected').length;
  const asked = features.flatMap((row) => row.cells);
  const alarms = [...cells, ...asked].filter((cell) => cell?.alarm !== undefined).length;
  return [
    `${sizeWords(table)}: ${countWords(sum)}`,
    ...(asExpected > 0 ? [`of the failed, ${asExpected} as expected`] : []),
    ...(alarms > 0 ? [plural(alarms, 'alarm')] : []),
  ].join('; ');
}

/** "1 kernel", "2 kernels" */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names of kernels, ranges of neighbours by their ends: "5.10 to 6.12, 7.2"; "all kernels" for all of them. */
export function kernelWords(columns: readonly TableColumn[], positions: readonly number[]): string {
  return stretchesOf(
    columns.map(({ name }) => name),
    positions,
    allKernels,
  );
}

/** The words for every kernel of a table. */
export const allKernels = 'all kernels';

/** A subject for the reader: the id and title of an experiment, otherwise its name. */
export function labelOf({ rows }: Pick<KernelTable, 'rows'>, subject: string): string {
  const row = rows.find((one) => keyOf(one) === subject);
  return row ? `${row.id} ${row.title}` : subject;
}

/** Names of the observed values of a row that are not the same on all kernels. */
export function differingValues({ differences }: KernelTable, row: TableRow): string[] {
  const subject = keyOf(row);
  const names = differences.filter((one) => one.kind === 'observed' && one.subject === subject).map((one) => one.value);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Positions of the kernels that have no results: they did not boot, or did not begin. */
export function silentColumns({ columns, rows }: KernelTable): Set<number> {
  const silent = columns.map((_, position) => position);
  return new Set(
    silent.filter(
      (position) =>
        rows.every(({ cells }) => ['missing', 'error', undefined].includes(cells[position]?.verdict)) &&
        (columns[position]?.failure !== undefined || rows.every(({ cells }) => cells[position]?.verdict === 'missing')),
    ),
  );
}

/** The kind of a row: all passed ("plain"), some kernels have just not run it yet ("missing"), or more. */
export function tellingOf(table: KernelTable, row: TableRow, silent: Set<number>): 'plain' | 'missing' | 'telling' {
  const tones = new Set(row.cells.filter((_, position) => !silent.has(position)).map(toneOf));
  tones.delete('passed');
  if (differingValues(table, row).length > 0) return 'telling';
  if (tones.size === 0) return 'plain';
  return tones.size === 1 && tones.has('missing') ? 'missing' : 'telling';
}
