/** The Markdown view of a kernel table, for job summaries of GitHub and GitLab and for documentation. */
import type { Comparison } from '../../matrix/compare/comparison.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { renderMarkdown } from '../document/render-markdown.js';
import { matrixDocument, type SectionName } from './document.js';

const sections = [
  'kernels',
  'alarms',
  'comparison',
  'differences',
  'expected',
  'failures',
  'features',
  'results',
  'skipped',
  'legend',
] as const satisfies readonly SectionName[];

/** A kernel table as Markdown, without a newline at its end. */
export function matrixMarkdown(table: KernelTable, comparison?: Comparison): string {
  return renderMarkdown(matrixDocument(table, sections, { comparison }));
}
