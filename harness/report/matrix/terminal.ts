/** The terminal view of a kernel table: cells that are not plain, differences with their reasons, and last the summary. */
import type { Comparison } from '../../matrix/compare/comparison.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { matrixSummary } from '../../matrix/outcome.js';
import { renderTerminal, type Terminal } from '../document/render-terminal.js';
import { wrap } from '../width.js';
import { matrixDocument, type SectionName } from './document.js';

/** The most important section is last, where the reader of a terminal sees it first. */
const sections = [
  'kernels',
  'results',
  'features',
  'failures',
  'skipped',
  'differences',
  'expected',
  'alarms',
  'comparison',
] as const satisfies readonly SectionName[];

export interface MatrixTerminalOptions extends Terminal {
  /** Shows all experiments and features; by default only those that do not simply pass on all kernels. */
  all?: boolean;
}

/** A kernel table as text for a terminal, without a newline at its end; its last line is the summary line. */
export function matrixTerminal(table: KernelTable, options: MatrixTerminalOptions, comparison?: Comparison): string {
  const { all = false, ...terminal } = options;
  const width = Math.max(40, options.width);
  const summary = matrixSummary({ table, comparison }).flatMap((line) => wrap(line, width));
  return [renderTerminal(matrixDocument(table, sections, { all, comparison }), terminal), summary.join('\n')].join(
    '\n\n',
  );
}
