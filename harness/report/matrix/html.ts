/** The HTML view of a kernel table. The words of its grid open the reasons of failures and skips. */
import type { Comparison } from '../../matrix/compare/comparison.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { renderHtml } from '../document/render-html.js';
import { matrixDocument, type SectionName } from './document.js';

const sections = [
  'kernels',
  'alarms',
  'comparison',
  'differences',
  'expected',
  'features',
  'results',
  'legend',
] as const satisfies readonly SectionName[];

/** A kernel table as a page for the matrix's folder: links to evidence are relative to it. */
export function matrixHtml(table: KernelTable, comparison?: Comparison): string {
  return renderHtml(matrixDocument(table, sections, { comparison }));
}
