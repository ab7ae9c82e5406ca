/** The terminal view of a kernel table: what is not plainly passed, what differs and why, and what to do next. */
import pc from 'picocolors';
import type { Failure } from '../run/record.js';
import type { Comparison } from '../matrix/compare.js';
import { matrixSummary } from '../matrix/outcome.js';
import type { KernelTable, TableRow } from '../matrix/table.js';
import { compared, detailLines, findingParts, section, type Ink } from './kernel-terminal-findings.js';
import { besides, indented, kernelGrid, type GridRow } from './kernel-grid.js';
import {
  circumstances,
  countWords,
  differingValues,
  featureDiffers,
  featureToneOf,
  featureWordOf,
  plural,
  resumeCommand,
  silentColumns,
  sizeWords,
  tellingOf,
  titleOf,
  toneOf,
  valueOf,
  wordOf,
} from './kernel-view.js';
import { columnsOf, oneLine, wrap } from './text.js';

export interface KernelTerminalOptions {
  /** Columns of the terminal; below 40 it is taken as 40. */
  width: number;
  colour: boolean;
  /** All experiments and features; by default only those that do not simply pass on all kernels. */
  all?: boolean;
  /** The matrix's folder, so that paths of evidence can be used as they are. */
  folder?: string;
}

/** How many experiments are shown that tell no more than that some kernel has not performed them yet. */
const mostMissing = 20;

/** A kernel table as text for a terminal, without a newline at its end; its last line is the summary line. */
export function kernelTableTerminal(
  table: KernelTable,
  options: KernelTerminalOptions,
  comparison?: Comparison,
): string {
  const { all = false, folder = '' } = options;
  const ink: Ink = { width: Math.max(40, options.width), colours: pc.createColors(options.colour), folder };
  return [
    ...section(
      titleOf(table),
      [circumstances(table), sizeWords(table)].flatMap((line) => wrap(line, ink.width)),
      ink,
    ),
    ...kernels(table, ink),
    ...experiments(table, all, ink),
    ...features(table, all, ink),
    ...findingParts(table, ink),
    ...compared(table, comparison, ink),
    ...incomplete(table, ink),
    matrixSummary({ table, comparison })
      .flatMap((line) => wrap(line, ink.width))
      .join('\n'),
  ].join('\n\n');
}

function kernels({ columns }: KernelTable, ink: Ink): string[] {
  const names = columns.map(({ name }) => oneLine(name));
  const nameWidth = Math.min(Math.max(0, ...names.map(columnsOf)), 24);
  const lines = columns.flatMap(({ release, origin, counts, failure }, index) => {
    const about = [release, origin && `(${origin})`].filter(Boolean).join(' ');
    const texts = wrap(`${countWords(counts)}; ${about}`, ink.width - nameWidth - 4);
    return [
      ...besides(wrap(names[index] ?? '', nameWidth), texts, nameWidth),
      ...(failure ? failureLines(failure, ink) : []),
    ];
  });
  return section('Kernels', lines, ink);
}

function failureLines(failure: Failure, ink: Ink): string[] {
  return [ink.colours.magenta(indented(`ERROR ${failure.message}`, 2, ink.width)), ...detailLines(failure, ink)];
}

function experiments(table: KernelTable, all: boolean, ink: Ink): string[] {
  const silent = silentColumns(table);
  const rowsThat = (tell: ReturnType<typeof tellingOf>): TableRow[] =>
    table.rows.filter((row) => tellingOf(table, row, silent) === tell);
  const waiting = rowsThat('missing');
  const shown = new Set(all ? table.rows : [...rowsThat('telling'), ...waiting.slice(0, mostMissing)]);
  const rows = table.rows.filter((row) => shown.has(row)).flatMap((row) => gridRows(table, row));
  const plain = all ? 0 : rowsThat('plain').length;
  const unshown = all ? 0 : Math.max(0, waiting.length - mostMissing);
  const notes = [
    ...(plain > 0 ? [`${plural(plain, 'experiment')} passed on all kernels that performed them.`] : []),
    ...(unshown > 0 ? [`${plural(unshown, 'more experiment')} only await being performed on some kernels.`] : []),
  ].flatMap((note) => wrap(note, ink.width));
  const grid = rows.length > 0 ? [kernelGrid('experiment', table.columns, rows, ink.width, ink.colours)] : [];
  return grid.length + notes.length > 0 ? [[...grid, ...notes].join('\n')] : [];
}

function gridRows(table: KernelTable, row: TableRow): GridRow[] {
  const cells = row.cells.map((cell) => ({ text: wordOf(cell), tone: toneOf(cell) }));
  const values = differingValues(table, row).map((name) => ({
    label: `↳ ${row.id} ${name}`,
    cells: row.cells.map((cell) => ({ text: valueOf(cell, name), tone: toneOf(cell) })),
  }));
  return [{ label: `${row.id} ${row.title}`, cells }, ...values];
}

function features(table: KernelTable, all: boolean, ink: Ink): string[] {
  const rows = table.features.filter((row) => all || featureDiffers(row) || row.cells.some((cell) => cell?.alarm));
  if (rows.length === 0) return [];
  const shown = rows.map(({ group, name, cells }) => ({
    label: `${group}: ${name}`,
    cells: cells.map((cell) => ({ text: featureWordOf(cell), tone: featureToneOf(cell) })),
  }));
  return [kernelGrid('feature', table.columns, shown, ink.width, ink.colours)];
}

function incomplete({ complete }: KernelTable, { width, colours }: Ink): string[] {
  if (complete) return [];
  const why = wrap('Not all that was planned has been performed ("–"). The rest is performed by:', width);
  return [[...why, resumeCommand].map((line) => colours.yellow(line)).join('\n')];
}
