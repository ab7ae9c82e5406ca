/** The functions with which commands print. */
import pc from 'picocolors';
import { isUtf8 } from './locale.js';
import { visible, visibleInColour } from '../report/text.js';

/** Prints lines to standard output. Text from hosts and programs in them cannot control the terminal. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${visibleInColour(line)}\n`);
}

/** Prints a value as JSON to standard output. Control characters for terminals are escaped, so that none is lost. */
export function printJson(value: unknown, indent = 2): void {
  const utf8 = isUtf8();
  const text = JSON.stringify(value, null, indent).replace(/[^\n\x20-\x7e]/gu, (character) =>
    utf8 && visible(character) === character ? character : character.replace(/[^]/g, escaped),
  );
  process.stdout.write(`${text}\n`);
}

/** The JSON notation (RFC 8259, 7). */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Prints lines to standard error: messages in addition to a command's output. */
export function notice(...lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${visibleInColour(line)}\n`);
}

/** Columns for output to a person: those of the terminal, else of COLUMNS, else 100. */
export function widthOf(stream: { columns?: number }): number {
  const { COLUMNS = '' } = process.env;
  return stream.columns || (/^\d+$/.test(COLUMNS) && Number(COLUMNS)) || 100;
}

/** Whether a stream gets colours: a terminal, unless NO_COLOR is set (no-color.org); any stream with FORCE_COLOR. */
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
