/** The grids of a kernel table: experiments and features, with a column per kernel. */
import { keyOf } from '../../run/record.js';
import type { Cell, FeatureCell, KernelTable, TableRow } from '../../matrix/compare/kernel-table.js';
import { list, text, type Block, type Grid, type GridCell, type GridRow } from '../document/document.js';
import { groupEqual } from '../document/groups.js';
import { because, failureBlocks } from './parts.js';
import {
  allKernels,
  differingValues,
  featureDiffers,
  featureToneOf,
  featureWordOf,
  kernelWords,
  plural,
  reasonOf,
  silentColumns,
  tellingOf,
  toneOf,
  wordOf,
} from './words.js';

/** Maximum number of experiments that show nothing except that a kernel has not run them yet. */
const mostMissing = 20;

/** Experiments by kernel. @param all whether to show experiments that simply passed on all kernels */
export function experiments(table: KernelTable, all: boolean): Block[] {
  const silent = silentColumns(table);
  const classified = table.rows.map((row) => ({ row, kind: tellingOf(table, row, silent) }));
  const waiting = classified.filter(({ kind }) => kind === 'missing');
  const late = new Set(all ? [] : waiting.slice(mostMissing));
  const shown = classified.filter((one) => all || (one.kind !== 'plain' && !late.has(one)));
  const rows = shown.map(({ row, kind }) => experimentRow(table, row, kind === 'plain'));
  const plain = all ? 0 : classified.filter(({ kind }) => kind === 'plain').length;
  const notes = [
    ...(plain > 0 ? [`${plural(plain, 'experiment')} passed on all kernels that performed them.`] : []),
    ...(late.size > 0 ? [`${plural(late.size, 'more experiment')} only await being performed on some kernels.`] : []),
  ];
  const caption = 'A word opens its reason, values and evidence';
  return [...grid(table, 'experiment', caption, rows, true), ...notes.map((note) => text(note))];
}

function experimentRow(table: KernelTable, row: TableRow, isPlain: boolean): GridRow {
  const { id, title, suite, cells } = row;
  return {
    ...{ anchor: { key: keyOf(row), id }, title: `${id} ${title}`, group: suite, isPlain },
    cells: cells.map((cell) => experimentCell(table, cell)),
    values: differingValues(table, row).map((name) => ({
      name,
      cells: cells.map(({ observed }) => (observed[name] === undefined ? undefined : String(observed[name]))),
    })),
  };
}

function experimentCell(table: KernelTable, cell: Cell): GridCell {
  const { alarm, verdict, failure, expected, observed, evidence } = cell;
  const reason = reasonOf(cell);
  const values = Object.entries(observed).map(([name, value]) => ({ text: `${name}: ${String(value)}` }));
  return {
    ...{ word: wordOf(cell), tone: toneOf(cell) },
    title: verdict === 'missing' ? 'not performed' : (alarm ?? reason ?? ''),
    about: [
      ...(alarm === undefined ? [] : [text(`${verdict}, but ${alarm}`)]),
      ...(reason === undefined ? [] : [text(reason)]),
      ...failureBlocks([], failure).slice(1),
      ...(expected === undefined ? [] : because(table, expected, 'expected')),
      ...list(values),
      ...(evidence === undefined ? [] : [{ kind: 'file' as const, title: 'evidence', path: evidence }]),
    ],
  };
}

/** Features by kernel. @param all whether to show features with the same state on all kernels */
export function features(table: KernelTable, all: boolean): Block[] {
  const shown = table.features.filter((row) => all || featureDiffers(row) || row.cells.some((cell) => cell?.alarm));
  const rows = shown.map((row) => ({
    ...{ title: `${row.group}: ${row.name}`, isPlain: !featureDiffers(row), values: [] },
    cells: row.cells.map((cell) => featureCell(table, cell)),
  }));
  const blocks = list(
    shown.flatMap(({ group, name, cells }) => {
      const groups = groupEqual(cells, (cell) => JSON.stringify([cell?.state, cell?.words]));
      return [...groups.values()].flatMap((positions) => {
        const cell = cells[positions[0] ?? -1];
        if (!cell || cell.state === 'supported') return [];
        const on = kernelWords(table.columns, positions);
        return [{ text: `${group}: ${name}, ${on}: ${featureWordOf(cell)}: ${cell.words}` }];
      });
    }),
  );
  const title = 'The kernels’ words, where they do not simply support it';
  return [
    ...grid(table, 'feature', 'A word opens what the kernel said', rows),
    ...(blocks.length > 0 ? [{ kind: 'folded' as const, title, blocks }] : []),
  ];
}

function featureCell(table: KernelTable, cell: FeatureCell | undefined): GridCell {
  const look = { word: featureWordOf(cell), tone: featureToneOf(cell) };
  if (!cell) return { ...look, title: 'not asked', about: [] };
  const { alarm, state, words, expected } = cell;
  return {
    ...{ ...look, title: alarm ?? words },
    about: [
      ...(alarm === undefined ? [] : [text(`${state}, but ${alarm}`)]),
      ...(words === '' ? [] : [text(words)]),
      ...(expected === undefined ? [] : because(table, expected, 'expected')),
    ],
  };
}

function grid(
  { columns }: KernelTable,
  heading: string,
  caption: string,
  rows: readonly GridRow[],
  filter = false,
): Grid[] {
  if (rows.length === 0) return [];
  const heads = columns.map(({ name, release }) => ({ name, title: release }));
  return [{ kind: 'grid', heading, caption, all: allKernels, columns: heads, rows, filter }];
}
