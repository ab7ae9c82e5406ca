/** The HTML view of a kernel table: one file that is read without network, without a script, and without colours. */
import type { Comparison } from '../matrix/compare.js';
import type { KernelTable, TableColumn } from '../matrix/table.js';
import { html, type Html } from './html.js';
import { alarms, compared, differences, expected } from './kernel-html-findings.js';
import { anchorsOf, experimentCell, featureCell, wide, type Anchors } from './kernel-html-parts.js';
import { page } from './kernel-page.js';
import {
  circumstances,
  countWords,
  legend,
  resumeCommand,
  silentColumns,
  tellingOf,
  titleOf,
  totalWords,
} from './kernel-view.js';

/** Anchors of the page itself. */
const pageIds = [
  ...['kernels', 'alarms', 'comparison', 'differences', 'expected', 'features', 'results', 'legend'],
  ...['kernel-list', 'difference-list', 'feature-list', 'experiments', 'filter', 'words', 'telling'],
];

/** A kernel table as a page to be kept in the matrix's folder: links to evidence are relative to that. */
export function kernelTableHtml(table: KernelTable, comparison?: Comparison): string {
  const anchors = anchorsOf(table.rows, pageIds);
  const sections: [name: string, title: string, content: Html | undefined][] = [
    ['kernels', 'Kernels', kernels(table)],
    ['alarms', 'Alarms', alarms(table, anchors)],
    ['comparison', 'Baseline', compared(table, anchors, comparison)],
    ['differences', 'What differs', differences(table, anchors)],
    ['expected', 'Otherwise expected', expected(table)],
    ['features', 'Features', features(table)],
    ['results', 'Experiments', experiments(table, anchors)],
    ['legend', 'Words', words()],
  ];
  const shown = sections.filter(([, , content]) => content);
  return page(
    titleOf(table),
    html`<header>
        <h1>${titleOf(table)}</h1>
        <p class="faint">${circumstances(table)}</p>
        <p>${totalWords(table)}</p>
        ${!table.complete && html`<p class="notice">Not all that was planned has been performed (“–”). The rest is performed by: <code>${resumeCommand}</code></p>`}
        <nav aria-label="Sections">${shown.map(([name, title]) => html`<a href="#${name}">${title}</a> `)}</nav>
      </header>
      <main>
        ${shown.map(
          ([name, title, content]) =>
            html`<section id="${name}">
              <h2>${title}</h2>
              ${content}
            </section> `,
        )}
      </main>`,
  );
}

function heads(first: string, columns: readonly TableColumn[]): Html[] {
  const kernelHeads = columns.map(({ name, release }) => html`<th scope="col" title="${release}">${name}</th>`);
  return [html`<th scope="col">${first}</th>`, ...kernelHeads];
}

function kernels({ columns }: KernelTable): Html {
  const rows = columns.map(({ name, release, origin, counts, failure }) => {
    const more = failure && [
      html`<p class="error">ERROR ${failure.message}</p>`,
      failure.details !== undefined &&
        html`<details>
          <summary>details</summary>
          <pre>${failure.details}</pre>
        </details>`,
      failure.next !== undefined && html`<p>next: ${failure.next}</p>`,
    ];
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${release}</td>
      <td>${origin}</td>
      <td>${countWords(counts)}${more}</td>
    </tr> `;
  });
  const head = ['kernel', 'release', 'from', 'result'].map((title) => html`<th scope="col">${title}</th>`);
  return wide(
    'kernel-list',
    'Kernels',
    'From the oldest to the newest',
    head,
    html`<tbody>
      ${rows}
    </tbody> `,
  );
}

function features(table: KernelTable): Html | undefined {
  if (table.features.length === 0) return undefined;
  const rows = table.features.map(
    ({ group, name, cells }) =>
      html`<tr>
        <th scope="row">${group}: ${name}</th>
        ${cells.map((cell) => featureCell(table, cell))}
      </tr> `,
  );
  const body = html`<tbody>
    ${rows}
  </tbody> `;
  return wide('feature-list', 'Features', 'A word opens what the kernel said', heads('feature', table.columns), body);
}

function experiments(table: KernelTable, anchors: Anchors): Html {
  const silent = silentColumns(table);
  const suites = [...new Set(table.rows.map(({ suite }) => suite))];
  const bodies = suites.map((suite) => {
    const rows = table.rows
      .filter((row) => row.suite === suite)
      .map((row) => {
        const anchor = anchors.get(row);
        const cells = row.cells.map((cell) => experimentCell(table, row, cell));
        const head = html`<th scope="row" id="${anchor}"><a href="#${anchor}">${row.id}</a> ${row.title}</th>`;
        return html`<tr data-row="${tellingOf(table, row, silent)}">
          ${head}${cells}
        </tr> `;
      });
    const across = String(table.columns.length);
    return html`<tbody>
      <tr>
        <th class="suite" scope="rowgroup">${suite}</th>
        <td colspan="${across}"></td>
      </tr>
      ${rows}
    </tbody> `;
  });
  return html`<form id="filter" hidden="hidden">
      <label>Filter: <input id="words" type="search" /></label>
      <label><input id="telling" type="checkbox" /> leave out what passed on all kernels alike</label>
    </form>
    ${wide('experiments', 'Experiments', 'A word opens its reason, values and evidence', heads('experiment', table.columns), bodies)}`;
}

function words(): Html {
  const tones: Record<string, string> = {
    ...{ passed: 'passed', FAILED: 'failed', differs: 'expected', ALARM: 'alarm', skipped: 'skipped', ERROR: 'error' },
  };
  const items = Object.entries(legend).map(
    ([word, meaning]) =>
      html`<dt class="${tones[word] ?? 'missing'}">${word}</dt>
        <dd>${meaning}</dd> `,
  );
  return html`<dl>${items}</dl>`;
}
