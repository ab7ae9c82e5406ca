/** Text and its width in columns of a terminal. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { oneLine } from './text.js';

/** Number of terminal columns that the text takes; colours take none. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** The text cut to a width in columns; it ends in … if it was cut. */
export function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  const [fitting = ''] = wrapAnsi(text, Math.max(1, width - 1), { hard: true, wordWrap: false, trim: false }).split(
    '\n',
  );
  return `${fitting}…`;
}

/** The text, without control characters and with single spaces, as lines that fit a width; longer words are broken. */
export function wrap(text: string, width: number): string[] {
  return wrapLine(oneLine(text), width);
}

/** One of our own lines, which may have colours, as lines that fit a width. */
export function wrapLine(line: string, width: number): string[] {
  return wrapAnsi(line, width, { hard: true }).split('\n');
}

/** Rows of texts as lines with aligned columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => columnsOf(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The text, padded with spaces to a width. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}
