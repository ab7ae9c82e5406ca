/** What commands print with. */
import pc from 'picocolors';
import { isUtf8 } from './locale.js';
import { visible, visibleInColour } from '../report/text.js';

/** Prints lines to standard output. What others have said in them, a host or a program, does not tell the terminal what to do. */
export function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${visibleInColour(line)}\n`);
}

/** Prints a value as JSON to standard output: what a terminal would obey is escaped, so that nothing of it is lost. */
export function sayJson(value: unknown, indent = 2): void {
  const utf8 = isUtf8();
  const text = JSON.stringify(value, null, indent).replace(/[^\n\x20-\x7e]/gu, (character) =>
    utf8 && visible(character) === character ? character : character.replace(/[^]/g, escaped),
  );
  process.stdout.write(`${text}\n`);
}

/** As JSON has it (RFC 8259, 7). */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Prints lines to standard error: what is said beside a command's output. */
export function remark(...lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${visibleInColour(line)}\n`);
}

/** Columns that output for a person has: those of the terminal, else of COLUMNS, else 100. */
export function widthOf(stream: { columns?: number }): number {
  const { COLUMNS = '' } = process.env;
  return stream.columns || (/^\d+$/.test(COLUMNS) && Number(COLUMNS)) || 100;
}

/** Whether a stream is to have colours: a terminal, unless NO_COLOR is set (no-color.org); anything with FORCE_COLOR. */
export function wantsColour(stream: { isTTY?: boolean }): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return stream.isTTY === true && TERM !== 'dumb';
}

/** Colours for standard output. */
export function colours() {
  return pc.createColors(wantsColour(process.stdout));
}

/** Rows of texts as lines with aligned columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
