/** A table with a column per kernel on a terminal; where it does not fit, a list instead, with equal neighbours as one. */
import Table from 'cli-table3';
import type pc from 'picocolors';
import { groupEqual, kernelWords, type Tone } from './kernel-view.js';
import type { TableColumn } from '../matrix/table.js';
import { columnsOf, oneLine, wrap } from './text.js';

export type Colours = ReturnType<typeof pc.createColors>;

export interface GridCell {
  text: string;
  tone: Tone;
}

export interface GridRow {
  label: string;
  /** One per kernel. */
  cells: GridCell[];
}

/** Text in the colour of its tone. */
export function painted({ text, tone }: GridCell, colours: Colours): string {
  if (tone === 'failed' || tone === 'alarm') return colours.red(text);
  if (tone === 'error') return colours.magenta(text);
  if (tone === 'skipped' || tone === 'expected') return colours.yellow(text);
  return tone === 'passed' ? colours.green(text) : colours.dim(text);
}

/** Columns of a terminal that a label needs to be read at ease, and how long a word in a cell may be. */
const least = { label: 26 };
const most = { word: 18 };

/** The rows as a table that is exactly `width` columns wide at most, or as a list of lines none of which is wider. */
export function kernelGrid(
  heading: string,
  columns: readonly TableColumn[],
  rows: readonly GridRow[],
  width: number,
  colours: Colours,
): string {
  const padding = 2;
  const widths = columns.map(({ name }, position) => {
    const texts = [name, ...rows.map(({ cells }) => cells[position]?.text ?? '')];
    return Math.max(...texts.flatMap((text) => oneLine(text).split(' ').map(columnsOf))) + padding;
  });
  const borders = columns.length + 2;
  const label = width - borders - widths.reduce((sum, one) => sum + one, 0);
  const fits = label >= least.label && widths.every((one) => one <= most.word + padding);
  if (!fits) return rows.map((row) => listed(columns, row, width, colours)).join('\n');
  const longest = Math.max(...[heading, ...rows.map((row) => row.label)].map((text) => columnsOf(oneLine(text))));
  const drawn = new Table({
    head: [heading, ...columns.map(({ name }) => oneLine(name))],
    colWidths: [Math.min(label, Math.max(longest + padding, least.label)), ...widths],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const shown = row.cells.map(({ text, tone }) => painted({ text: oneLine(text), tone }, colours));
    drawn.push([oneLine(row.label), ...shown]);
  }
  return drawn.toString();
}

function listed(columns: readonly TableColumn[], row: GridRow, width: number, colours: Colours): string {
  const groups = [...groupEqual(row.cells, ({ text }) => text).values()];
  const names = groups.map((positions) => oneLine(kernelWords(columns, positions)));
  const nameWidth = Math.min(Math.max(...names.map(columnsOf)), Math.floor(width / 2));
  const lines = groups.flatMap((positions, index) => {
    const cell = row.cells[positions[0] ?? -1];
    if (!cell) return [];
    const texts = wrap(cell.text, width - nameWidth - 4).map((text) => painted({ text, tone: cell.tone }, colours));
    return besides(wrap(names[index] ?? '', nameWidth), texts, nameWidth);
  });
  return [...wrap(row.label, width).map((line) => colours.bold(line)), ...lines].join('\n');
}

/** Lines on the left, none wider than `width`, and lines beside them. */
export function besides(left: readonly string[], right: readonly string[], width: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) => {
    const name = left[at] ?? '';
    return `  ${name}${' '.repeat(Math.max(0, width - columnsOf(name)))}  ${right[at] ?? ''}`.trimEnd();
  });
}

/** Text wrapped into a width, its first line indented so far and the others two columns further. */
export function indented(text: string, indent: number, width: number): string {
  const [first = '', ...others] = wrap(text, width - indent - 2);
  const further = others.map((line) => ' '.repeat(indent + 2) + line);
  return [' '.repeat(indent) + first, ...further].join('\n');
}
