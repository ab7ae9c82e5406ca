/** A document as GitHub's Markdown (also GitLab's), for job summaries and for documentation. */
import {
  spansOf,
  plainText,
  strong,
  type Block,
  type Document,
  type Grid,
  type GridRow,
  type Item,
  type Section,
  type Span,
  type Table,
  type Text,
} from './document.js';
import { Gfm, gfm, gfmTable, type GfmValue } from './gfm.js';

/** Markdown without a newline at its end. Files are left out, because a summary's reader does not have their folder. */
export function renderMarkdown({ title, lead, notice, sections }: Document): string {
  const parts = [
    gfm`# ${title}`,
    ...lead.flatMap(blockParts),
    ...(notice ? [gfm`${notice.text} \`${notice.command}\``] : []),
    ...sections.flatMap((section) => sectionParts(section, 2)),
  ];
  return Gfm.join(parts, gfm`\n\n`).toString();
}

function sectionParts({ title, blocks, sections = [] }: Section, level: number): Gfm[] {
  return [
    Gfm.heading(level, inline(title)),
    ...blocks.flatMap(blockParts),
    ...sections.flatMap((section) => sectionParts(section, level + 1)),
  ];
}

/** Parts, for blank lines between them. */
function blockParts(block: Block): Gfm[] {
  switch (block.kind) {
    case 'text':
      return [inline(block.text)];
    case 'list':
      return [itemLines(block.items)];
    case 'code':
      return [Gfm.folded('details', Gfm.pre(block.text))];
    case 'file':
    case 'drawing':
      return [];
    case 'folded':
      return [Gfm.folded(plainText(block.title), gfm`${Gfm.join(block.blocks.flatMap(blockParts), gfm`\n\n`)}\n`)];
    case 'table':
      return tableParts(block);
    case 'grid':
      return gridParts(block);
  }
}

function itemLines(items: readonly Item[]): Gfm {
  return gfm`${items.map(({ text, below = [] }) => gfm`- ${inline(text)}\n${below.map((block) => Gfm.indented(linesBelow(block)))}`)}`;
}

/** Text below an item is an item too: otherwise it would join the item's own text. */
function linesBelow(block: Block): Gfm {
  if (block.kind === 'text') return gfm`- ${inline(block.text)}\n`;
  if (block.kind === 'list') return itemLines(block.items);
  return gfm`${blockParts(block).map((part) => gfm`\n${part}\n`)}`;
}

function tableParts({ head, rows }: Table): Gfm[] {
  const more = rows.flatMap(({ cells: [first = ''], below }) =>
    below ? [{ text: spansOf(first).map(({ text }) => strong(text)), below }] : [],
  );
  return [
    gfmTable(
      head,
      rows.map(({ cells }) => cells.map(inline)),
    ),
    ...(more.length > 0 ? [itemLines(more)] : []),
  ];
}

/** One table, or one folded table per group. A group's title shows how many rows are not plain. */
function gridParts({ heading, columns, rows }: Grid): Gfm[] {
  const head = [heading, ...columns.map(({ name }) => name)];
  const table = (some: readonly GridRow[]): Gfm => gfmTable(head, some.flatMap(rowsOf));
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups.map((group) => {
    const members = rows.filter((row) => row.group === group);
    if (group === undefined) return table(members);
    const telling = members.filter(({ isPlain }) => !isPlain).length;
    const count = `${members.length} ${heading}${members.length === 1 ? '' : 's'}`;
    return Gfm.folded(`${group}: ${count}${telling > 0 ? `, ${telling} not simply passed` : ''}`, table(members));
  });
}

function rowsOf({ anchor, title, cells, values }: GridRow): GfmValue[][] {
  return [
    [title, ...cells.map(({ word, tone }) => (['failed', 'error', 'alarm'].includes(tone) ? gfm`**${word}**` : word))],
    ...values.map(({ name, cells: texts }) => [
      `↳ ${anchor?.id ?? title} ${name}`,
      ...cells.map((_, position) => texts[position] ?? '–'),
    ]),
  ];
}

function inline(text: Text): Gfm {
  return gfm`${spansOf(text).map(spanOf)}`;
}

function spanOf({ text, tone, style, address }: Span): GfmValue {
  if (address !== undefined) return Gfm.link(text, address);
  if (style === 'code') return Gfm.code(text);
  return tone !== undefined || style === 'strong' ? gfm`**${text}**` : Gfm.part(text);
}
