/** A grid on a terminal: a table or, if that does not fit, a list in which equal columns are joined. */
import Table from 'cli-table3';
import type { Grid, Tone } from './document.js';
import { groupEqual, stretchesOf } from './groups.js';
import { besides, painted, type Colours } from './terminal-ink.js';
import { oneLine } from '../text.js';
import { columnsOf, wrap } from '../width.js';

interface Row {
  label: string;
  cells: { text: string; tone: Tone }[];
}

/** Minimum columns for a readable label, and maximum length of a word in a cell. */
const least = { label: 26 };
const most = { word: 18 };

/** A table that is at most `width` columns wide, or a list of lines none of which is wider. */
export function gridLines(grid: Grid, width: number, colours: Colours): string[] {
  const { heading, columns } = grid;
  const rows = rowsOf(grid);
  const padding = 2;
  const widths = columns.map(({ name }, position) => {
    const texts = [name, ...rows.map(({ cells }) => cells[position]?.text ?? '')];
    return Math.max(...texts.flatMap((text) => oneLine(text).split(' ').map(columnsOf))) + padding;
  });
  const borders = columns.length + 2;
  const label = width - borders - widths.reduce((sum, one) => sum + one, 0);
  const fits = label >= least.label && widths.every((one) => one <= most.word + padding);
  if (!fits) return rows.flatMap((row) => listed(grid, row, width, colours));
  const longest = Math.max(...[heading, ...rows.map((row) => row.label)].map((text) => columnsOf(oneLine(text))));
  const drawn = new Table({
    head: [heading, ...columns.map(({ name }) => oneLine(name))],
    colWidths: [Math.min(label, Math.max(longest + padding, least.label)), ...widths],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    drawn.push([oneLine(row.label), ...row.cells.map(({ text, tone }) => painted(oneLine(text), tone, colours))]);
  }
  return [drawn.toString()];
}

/** Each row, and below it one row for each of its further values. */
function rowsOf({ rows }: Grid): Row[] {
  return rows.flatMap(({ anchor, title, cells, values }) => [
    { label: title, cells: cells.map(({ word, tone }) => ({ text: word, tone })) },
    ...values.map(({ name, cells: texts }) => ({
      label: `↳ ${anchor?.id ?? title} ${name}`,
      cells: cells.map(({ tone }, position) => ({ text: texts[position] ?? '–', tone })),
    })),
  ]);
}

function listed({ columns, all }: Grid, row: Row, width: number, colours: Colours): string[] {
  const groups = [...groupEqual(row.cells, ({ text }) => text).values()];
  const columnNames = columns.map(({ name }) => name);
  const names = groups.map((positions) => oneLine(stretchesOf(columnNames, positions, all)));
  const nameWidth = Math.min(Math.max(...names.map(columnsOf)), Math.floor(width / 2));
  const lines = groups.flatMap((positions, index) => {
    const cell = row.cells[positions[0] ?? -1];
    if (!cell) return [];
    const texts = wrap(cell.text, width - nameWidth - 4).map((text) => painted(text, cell.tone, colours));
    return besides(wrap(names[index] ?? '', nameWidth), texts, nameWidth, 2);
  });
  return [...wrap(row.label, width).map((line) => colours.bold(line)), ...lines];
}
