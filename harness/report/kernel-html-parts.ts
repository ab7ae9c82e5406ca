/** Pieces of the HTML view of a kernel table: cells, links and anchors. */
import type { Cell, FeatureCell, KernelTable, TableRow } from '../matrix/table.js';
import { html, type Html, type HtmlValue } from './html.js';
import { explanationOf, linkOf } from './kernel-findings.js';
import { differingValues, featureToneOf, featureWordOf, reasonOf, toneOf, valueOf, wordOf } from './kernel-view.js';
import { oneLine } from './text.js';

/** A link to a source where it is an address, else the source as text. */
function sourceLink(source: string): Html {
  const address = linkOf(source);
  return address ? html`<a href="${address}" rel="noreferrer noopener">${source}</a>` : html`${source}`;
}

/**
 * A path below the page's own folder as an address. With "./" in front nothing in it is taken for a scheme, and what would
 * lead out of the folder is left out.
 */
export function fileLink(path: string): string {
  const parts = oneLine(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return `./${parts.map((part) => encodeURIComponent(part)).join('/')}/`;
}

/** Where each row is found. */
export type Anchors = ReadonlyMap<TableRow, string>;

/** Anchors of rows: "X3.1", and "X3.1-2" for the next experiment of the same id; none of those that the page itself has. */
export function anchorsOf(rows: readonly TableRow[], reserved: readonly string[]): Anchors {
  const taken = new Set(reserved);
  const anchors = new Map<TableRow, string>();
  for (const row of rows) {
    const base = oneLine(row.id).replace(/[^\w.-]+/g, '-') || 'experiment';
    let anchor = base;
    for (let next = 2; taken.has(anchor); next += 1) anchor = `${base}-${next}`;
    taken.add(anchor);
    anchors.set(row, anchor);
  }
  return anchors;
}

/** A table that scrolls within itself, also by keyboard, so that its head and first column stay. */
export function wide(name: string, label: string, caption: string, head: HtmlValue, body: HtmlValue): Html {
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0">
    <table id="${name}">
      <caption class="faint">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      ${body}
    </table>
  </div>`;
}

/** Why something is as it is, by a known difference. */
export function because(table: KernelTable, name: string): Html {
  const { reason, source } = explanationOf(table, name);
  return html`${reason}${source ? html` (${sourceLink(source)})` : ''}`;
}

/** An experiment on a kernel: its word, the values that differ, and behind the word all that is known of it. */
export function experimentCell(table: KernelTable, row: TableRow, cell: Cell): Html {
  const values = differingValues(table, row)
    .filter((name) => cell.observed[name] !== undefined)
    .map((name) => html`<span class="value">${name}: ${valueOf(cell, name)}</span>`);
  const observed = Object.entries(cell.observed).map(
    ([name, value]) =>
      html`<dt>${name}</dt>
        <dd>${String(value)}</dd> `,
  );
  const details = [
    cell.alarm !== undefined && html`<p>${cell.verdict}, but ${cell.alarm}</p>`,
    reasonOf(cell) !== undefined && html`<p>${reasonOf(cell)}</p>`,
    cell.failure?.details !== undefined && html`<pre>${cell.failure.details}</pre>`,
    cell.failure?.next !== undefined && html`<p>next: ${cell.failure.next}</p>`,
    cell.expected !== undefined && html`<p>expected: ${because(table, cell.expected)}</p>`,
    observed.length > 0 && html`<dl>${observed}</dl>`,
    cell.evidence !== undefined && html`<p><a href="${fileLink(cell.evidence)}">evidence</a></p>`,
  ];
  const title = cell.alarm ?? reasonOf(cell) ?? '';
  const said = cell.verdict === 'missing' ? html`<span title="not performed">–</span>` : wordOf(cell);
  return withDetails(toneOf(cell), said, title, details, values);
}

export function featureCell(table: KernelTable, cell: FeatureCell | undefined): Html {
  if (!cell) return html`<td class="missing"><span title="not asked">–</span></td>`;
  const details = [
    cell.alarm !== undefined && html`<p>${cell.state}, but ${cell.alarm}</p>`,
    cell.words !== '' && html`<p>${cell.words}</p>`,
    cell.expected !== undefined && html`<p>expected: ${because(table, cell.expected)}</p>`,
  ];
  return withDetails(featureToneOf(cell), featureWordOf(cell), cell.alarm ?? cell.words, details, []);
}

function withDetails(tone: string, said: HtmlValue, title: string, details: HtmlValue[], values: HtmlValue[]): Html {
  const some = details.some((one) => one !== false);
  const word = some
    ? html`<details>
        <summary title="${oneLine(title)}">${said}</summary>
        ${details}
      </details>`
    : html`${said}`;
  return html`<td class="${tone}">${word}${values}</td>`;
}
