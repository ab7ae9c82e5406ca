/** What the HTML view of a kernel table says beside the table itself: alarms, what differs and why, what was expected. */
import { keyOf } from '../run/record.js';
import type { Comparison } from '../matrix/compare.js';
import type { KernelTable, TableRow } from '../matrix/table.js';
import { html, type Html } from './html.js';
import { comparisonSections, comparisonTitle } from './kernel-comparison.js';
import { alarmsOf, idsOf, otherExpected, sharedDifferences } from './kernel-findings.js';
import { because, fileLink, wide, type Anchors } from './kernel-html-parts.js';

export function alarms(table: KernelTable, anchors: Anchors): Html | undefined {
  const all = alarmsOf(table);
  if (all.length === 0) return undefined;
  const items = all.map(({ subject, kernels: on, text, evidence }) => {
    const links = evidence.map((path) => html` <a href="${fileLink(path)}">evidence</a>`);
    return html`<li>
      <strong>ALARM</strong> ${experimentLink(table, anchors, subject, subject)}, ${on}: ${text}${links}
    </li> `;
  });
  return html`<ul>
    ${items}
  </ul>`;
}

/** Text as a link to the row that it is about, or followed by links to all of them. */
function rowLinks(anchors: Anchors, rows: readonly TableRow[], text: string): Html {
  const [first, ...others] = rows;
  if (!first) return html`${text}`;
  if (others.length === 0) return html`<a href="#${anchors.get(first)}">${text}</a>`;
  const links = rows.map((row) => html` <a href="#${anchors.get(row)}" title="${row.title}">${row.id}</a>`);
  return html`<details>
    <summary>${text}</summary>
    ${links}
  </details>`;
}

/** Text as a link to the row of an experiment, where it is about one. */
function experimentLink({ rows }: KernelTable, anchors: Anchors, subject: string, text: string): Html {
  const row = rows.find((one) => keyOf(one) === subject);
  const anchor = row && anchors.get(row);
  return anchor === undefined ? html`${text}` : html`<a href="#${anchor}">${text}</a>`;
}

export function differences(table: KernelTable, anchors: Anchors): Html | undefined {
  if (table.differences.length === 0) return undefined;
  const rows = sharedDifferences(table).flatMap(({ subject, rows: about, changes }) =>
    changes.map(({ since, after, from, to, explained }) => {
      const why =
        explained.length === 0
          ? html`<td class="failed">unexplained</td>`
          : html`<td class="expected">${explained.map((name) => html`<p>${because(table, name)}</p>`)}</td>`;
      const what = rowLinks(anchors, about, subject);
      return html`<tr>
        <th scope="row">${what}</th>
        <td>${since}</td>
        <td>${to}</td>
        <td>${from} (${after})</td>
        ${why}
      </tr> `;
    }),
  );
  const head = ['what', 'since', 'is', 'was', 'why'].map((title) => html`<th scope="col">${title}</th>`);
  const caption = 'From one kernel to the next that tells';
  return wide(
    'difference-list',
    'What differs',
    caption,
    head,
    html`<tbody>
      ${rows}
    </tbody> `,
  );
}

export function expected(table: KernelTable): Html | undefined {
  const all = [...otherExpected(table)];
  if (all.length === 0) return undefined;
  const items = all.map(([name, findings]) => {
    const where = findings.map(({ row, kernels: on }) => `${idsOf([row])} (${on})`).join(', ');
    return html`<li>${where}: ${because(table, name)}</li> `;
  });
  return html`<ul>
    ${items}
  </ul>`;
}

/** What is not as in a baseline, what got worse first. */
export function compared(table: KernelTable, anchors: Anchors, comparison: Comparison | undefined): Html | undefined {
  if (!comparison) return undefined;
  const sections = comparisonSections(table, comparison);
  const lists = sections.map(({ title, tone, items }) => {
    const lines = items.map(
      ({ about, subject, text }) => html`<li>${experimentLink(table, anchors, about, subject)} ${text}</li> `,
    );
    return html`<h3><span class="${tone}">${title}</span></h3>
      <ul>
        ${lines}
      </ul> `;
  });
  const nothing = comparison.baseline && sections.length === 0 && html`<p>Nothing has changed.</p>`;
  return html`<p>${comparisonTitle(comparison)}.</p>
    ${nothing}${lists}`;
}
