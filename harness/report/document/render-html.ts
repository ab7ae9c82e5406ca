/** A document as one HTML page that needs no network, no script and no colours. */
import {
  plainText,
  spansOf,
  type Block,
  type Document,
  type Grid,
  type GridCell,
  type GridRow,
  type Section,
  type Span,
  type Table,
  type Text,
} from './document.js';
import { html, type Html, type HtmlValue } from './html.js';
import { page } from './html-page.js';
import { oneLine } from '../text.js';

/** The anchors of rows, by key. */
type Anchors = ReadonlyMap<string, { anchor: string; row: GridRow }>;

/** Ids of the page itself. */
const pageIds = ['filter', 'words', 'telling'];

/** A page for the document's folder: links to files are relative to it. */
export function renderHtml({ title, lead, notice, sections }: Document): string {
  const anchors = anchorsOf(sections);
  return page(
    title,
    html`<header>
        <h1>${title}</h1>
        ${lead.map((block) => blockHtml(block, anchors))}
        ${notice && html`<p class="notice">${notice.text} <code>${notice.command}</code></p>`}
        <nav aria-label="Sections">
          ${sections.map((section) => html`<a href="#${section.name}">${plainText(section.title)}</a> `)}
        </nav>
      </header>
      <main>${sections.map((section) => sectionHtml(section, anchors))}</main>`,
  );
}

function sectionHtml({ name, title, blocks, sections = [] }: Section, anchors: Anchors, isPart = false): Html {
  const heading = inline(title, anchors);
  return html`<section id="${name}">
    ${isPart ? html`<h3>${heading}</h3>` : html`<h2>${heading}</h2>`}
    ${blocks.map((block) => blockHtml(block, anchors))}
    ${sections.map((section) => sectionHtml(section, anchors, true))}
  </section> `;
}

/** Anchors of rows: "X3.1", and "X3.1-2" for the next one of the same id; never an id of the page itself. */
function anchorsOf(sections: readonly Section[]): Anchors {
  const taken = new Set([...pageIds, ...sections.map(({ name }) => name)]);
  const anchors = new Map<string, { anchor: string; row: GridRow }>();
  const grids = sections.flatMap(({ blocks }) => blocks.filter((block) => block.kind === 'grid'));
  for (const row of grids.flatMap(({ rows }) => rows)) {
    if (!row.anchor) continue;
    const base = oneLine(row.anchor.id).replace(/[^\w.-]+/g, '-') || 'row';
    let anchor = base;
    for (let next = 2; taken.has(anchor); next += 1) anchor = `${base}-${next}`;
    taken.add(anchor);
    anchors.set(row.anchor.key, { anchor, row });
  }
  return anchors;
}

function blockHtml(block: Block, anchors: Anchors): Html {
  switch (block.kind) {
    case 'text':
      return html`<p>${inline(block.text, anchors)}</p> `;
    case 'list': {
      const items = block.items.map(
        ({ text, below = [] }) =>
          html`<li>${inline(text, anchors)}${below.map((one) => blockHtml(one, anchors))}</li> `,
      );
      return html`<ul>
        ${items}
      </ul> `;
    }
    case 'code':
      return html`<pre>${block.text}</pre> `;
    case 'file':
      return html`<p><a href="${fileLink(block.path, block.isFile)}">${block.title}</a></p> `;
    case 'folded':
      return foldedHtml(block, anchors);
    case 'drawing':
      return html`<div class="drawing" role="region" aria-label="drawing" tabindex="0">${block.image}</div> `;
    case 'table':
      return tableHtml(block, anchors);
    case 'grid':
      return gridHtml(block, anchors);
  }
}

function foldedHtml({ title, blocks, name, isOpen }: Extract<Block, { kind: 'folded' }>, anchors: Anchors): Html {
  const content = html`<summary>${inline(title, anchors)}</summary>
    ${blocks.map((one) => blockHtml(one, anchors))}`;
  const id = name ?? '';
  if (isOpen) return html`<details id="${id}" open="open">${content}</details> `;
  return name === undefined ? html`<details>${content}</details> ` : html`<details id="${id}">${content}</details> `;
}

function tableHtml({ head, rows }: Table, anchors: Anchors): Html {
  const lines = rows.map(({ cells: [first = '', ...others], below = [] }) => {
    const last = others.length - 1;
    const more = below.map((block) => blockHtml(block, anchors));
    return html`<tr>
      <th scope="row">${inline(first, anchors)}</th>
      ${others.map((cell, index) => html`<td>${inline(cell, anchors)}${index === last && more}</td>`)}
    </tr> `;
  });
  const heads = head.map((title) => html`<th scope="col">${title}</th>`);
  return wide(
    head.join(', '),
    undefined,
    heads,
    html`<tbody>
      ${lines}
    </tbody> `,
  );
}

function gridHtml(grid: Grid, anchors: Anchors): Html {
  const { heading, caption, columns, rows, filter } = grid;
  const heads = columns.map(({ name, title }) => html`<th scope="col" title="${title}">${name}</th>`);
  const groups = [...new Set(rows.map(({ group }) => group))];
  const bodies = groups.map((group) => {
    const members = rows.filter((row) => row.group === group);
    const head =
      group !== undefined &&
      html`<tr>
        <th class="suite" scope="rowgroup">${group}</th>
        <td colspan="${String(columns.length)}"></td>
      </tr> `;
    return html`<tbody>
      ${head}${members.map((row) => rowHtml(row, anchors, filter))}
    </tbody> `;
  });
  const form = html`<form id="filter" hidden="hidden">
    <label>Filter: <input id="words" type="search" /></label>
    <label><input id="telling" type="checkbox" /> leave out what passed on ${grid.all} alike</label>
  </form> `;
  const head = [html`<th scope="col">${heading}</th>`, ...heads];
  return html`${filter && form}${wide(`${heading}s`, caption, head, bodies)}`;
}

function rowHtml(row: GridRow, anchors: Anchors, filter = false): Html {
  const found = row.anchor && anchors.get(row.anchor.key);
  const cells = row.cells.map((cell, position) => {
    const values = row.values.flatMap(({ name, cells: texts }) => {
      const value = texts[position];
      return value === undefined ? [] : [html`<span class="value">${name}: ${value}</span>`];
    });
    return cellHtml(cell, values, anchors);
  });
  const head =
    found && found.row === row
      ? html`<th scope="row" id="${found.anchor}"><a href="#${found.anchor}">${row.title}</a></th>`
      : html`<th scope="row">${row.title}</th>`;
  const content = html`${head}${cells}`;
  if (!filter)
    return html`<tr>
      ${content}
    </tr> `;
  return html`<tr data-row="${row.isPlain ? 'plain' : 'telling'}">
    ${content}
  </tr> `;
}

/** A word that opens all details. */
function cellHtml({ word, tone, title, about }: GridCell, values: HtmlValue, anchors: Anchors): Html {
  const shown =
    about.length > 0
      ? html`<details>
          <summary title="${oneLine(title)}">${word}</summary>
          ${about.map((block) => blockHtml(block, anchors))}
        </details>`
      : title === ''
        ? word
        : html`<span title="${oneLine(title)}">${word}</span>`;
  return html`<td class="${tone}">${shown}${values}</td>`;
}

/** A table that scrolls within itself, also by keyboard, so that its head and first column stay visible. */
function wide(label: string, caption: string | undefined, head: HtmlValue, body: HtmlValue): Html {
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0">
    <table>
      ${
        caption !== undefined &&
        html`<caption class="faint">
          ${caption}
        </caption>`
      }
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      ${body}
    </table>
  </div> `;
}

function inline(text: Text, anchors: Anchors): HtmlValue {
  return spansOf(text).map((span) => spanHtml(span, anchors));
}

function spanHtml({ text, tone, style, address, rows, section }: Span, anchors: Anchors): HtmlValue {
  if (address !== undefined) return html`${text}: <a href="${address}" rel="noreferrer noopener">${address}</a>`;
  if (section !== undefined) return html`<a href="#${section}">${text}</a>`;
  if (rows) return rowLinks(text, rows, anchors);
  if (tone) return html`<span class="${tone}">${text}</span>`;
  if (style === 'strong') return html`<strong>${text}</strong>`;
  return style === 'code' ? html`<code>${text}</code>` : text;
}

/** Text as a link to its row, or as the title of links to several rows. */
function rowLinks(text: string, keys: readonly string[], anchors: Anchors): HtmlValue {
  const found = keys.flatMap((key) => anchors.get(key) ?? []);
  const [first, ...others] = found;
  if (!first) return text;
  if (others.length === 0) return html`<a href="#${first.anchor}">${text}</a>`;
  const links = found.map(({ anchor, row }) => html` <a href="#${anchor}" title="${row.title}">${row.anchor?.id}</a>`);
  return html`<details>
    <summary>${text}</summary>
    ${links}
  </details>`;
}

/**
 * A path below the page's folder as an address. The "./" in front prevents that a part of it acts as a scheme. Parts
 * that lead out of the folder are left out.
 */
function fileLink(path: string, isFile = false): string {
  const parts = oneLine(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return `./${parts.map((part) => encodeURIComponent(part)).join('/')}${isFile ? '' : '/'}`;
}
