/** Parts that several sections of a kernel table's document share. */
import type { Failure } from '../../run/record.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { linkOf, text, type Block, type Span } from '../document/document.js';
import { explanationOf } from './findings.js';

/** The reason from a known difference, with its source; the source is a link if it is an address. */
export function because(table: KernelTable, name: string, introduction = 'because'): Block[] {
  const { reason, source } = explanationOf(table, name);
  const address = linkOf(source);
  const from = address === undefined ? `source: ${source}` : { text: 'source', address };
  return [text(`${introduction}: ${reason}`), ...(source ? [text(from)] : [])];
}

/** What failed, with the details and the next step of the failure. */
export function failureBlocks(what: readonly (string | Span)[], failure: Failure | undefined): Block[] {
  return [
    { kind: 'text', text: what },
    ...(failure?.details === undefined ? [] : [{ kind: 'code' as const, text: failure.details }]),
    ...(failure?.next === undefined ? [] : [text(`next: ${failure.next}`)]),
  ];
}
