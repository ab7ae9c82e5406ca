/** A document as text for a terminal. */
import { join } from 'node:path';
import pc from 'picocolors';
import { spansOf, type Block, type Document, type Section, type Table, type Text } from './document.js';
import { gridLines } from './terminal-grid.js';
import { besides, painted, type Colours } from './terminal-ink.js';
import { oneLine, visible } from '../text.js';
import { columnsOf, wrap, wrapLine } from '../width.js';

/** The terminal that shows a document. */
export interface Terminal {
  /** Columns; a width below 40 counts as 40. */
  width: number;
  colour: boolean;
  /** The prefix of file paths. */
  folder?: string;
}

/** The width, colours and folder for a document. */
interface Ink {
  width: number;
  colours: Colours;
  folder: string;
}

/** Maximum number of lines of code; the files have all of them. */
const mostCode = 12;

/** Maximum number of items of a list within a list. */
const mostItems = 20;

/** Text without a newline at its end. The notice comes last, where the reader of a terminal sees it first. */
export function renderTerminal({ title, lead, notice, sections }: Document, terminal: Terminal): string {
  const { width, colour, folder = '' } = terminal;
  const ink = { width: Math.max(40, width), colours: pc.createColors(colour), folder };
  return [
    ...paragraph(title, lead, 0, ink),
    ...sections.flatMap((section) => sectionParts(section, ink)),
    ...(notice
      ? [[...wrap(notice.text, ink.width), notice.command].map((line) => ink.colours.yellow(line)).join('\n')]
      : []),
  ].join('\n\n');
}

function sectionParts({ title, blocks, sections = [] }: Section, ink: Ink): string[] {
  return [...paragraph(title, blocks, 2, ink), ...sections.flatMap((section) => sectionParts(section, ink))];
}

function paragraph(title: Text, blocks: readonly Block[], indent: number, ink: Ink): string[] {
  const [first = '', ...others] = wrapLine(inked(title, ink, ink.colours.bold), ink.width - 2);
  const heading = [first, ...others.map((line) => `  ${line}`)];
  return [[...heading, ...blocks.flatMap((block) => blockLines(block, indent, ink))].join('\n')];
}

function blockLines(block: Block, indent: number, ink: Ink): string[] {
  switch (block.kind) {
    case 'text':
      return indented(inked(block.text, ink), indent, ink.width);
    case 'list': {
      const most = indent > 2 ? mostItems : Infinity;
      const more = block.items.length > most ? [`${' '.repeat(indent)}… and ${block.items.length - most} more`] : [];
      const lines = block.items
        .slice(0, most)
        .flatMap(({ text, below = [] }) => [
          ...indented(inked(text, ink), indent, ink.width),
          ...below.flatMap((one) => blockLines(one, indent + 2, ink)),
        ]);
      return [...lines, ...more];
    }
    case 'code':
      return codeLines(block.text, indent + 2, ink.width);
    case 'file':
      // on a separate line, and whole, so that the user can copy it
      return [`${' '.repeat(indent)}${block.title}: ${oneLine(join(ink.folder, block.path))}`];
    case 'folded':
    case 'drawing':
      return [];
    case 'table':
      return tableLines(block, indent, ink);
    case 'grid':
      return gridLines(block, ink.width, ink.colours);
  }
}

function codeLines(text: string, indent: number, width: number): string[] {
  const all = visible(text).trimEnd().replaceAll('\t', '  ').split('\n');
  const margin = ' '.repeat(indent);
  // A line that fits stays as it is: it may be part of a table.
  const lines = all
    .slice(0, mostCode)
    .flatMap((line) =>
      columnsOf(line) + indent > width ? indented(oneLine(line), indent, width) : [`${margin}${line}`],
    );
  return all.length > mostCode ? [...lines, `${margin}… and ${all.length - mostCode} more lines`] : lines;
}

/** No lines between the rows: the first cell is on the left, the others are beside it. */
function tableLines({ rows }: Table, indent: number, ink: Ink): string[] {
  const names = rows.map(({ cells }) => inked(cells[0] ?? '', ink).trim());
  const left = Math.min(Math.max(0, ...names.map(columnsOf)), 24);
  return rows.flatMap(({ cells, below = [] }, index) => {
    const others = cells.slice(1).map((cell) => inked(cell, ink).trim());
    const right = wrapLine(others.filter(Boolean).join('; '), ink.width - left - indent - 2);
    return [
      ...besides(wrapLine(names[index] ?? '', left), right, left, indent),
      ...below.flatMap((block) => blockLines(block, indent, ink)),
    ];
  });
}

/** A line wrapped to a width. The first line has this indent, the others two columns more. */
function indented(line: string, indent: number, width: number): string[] {
  const [first = '', ...others] = wrapLine(line, width - indent - 2);
  return [' '.repeat(indent) + first, ...others.map((other) => ' '.repeat(indent + 2) + other)];
}

/** A text as one line, in its colours. */
function inked(text: Text, { colours }: Ink, plain: (text: string) => string = (same) => same): string {
  const parts = spansOf(text).map(({ text: words, tone, style, address }) => {
    const line = visible(address === undefined ? words : `${words}: ${address}`).replace(/\s+/g, ' ');
    if (tone) return painted(line, tone, colours);
    return style === 'strong' ? colours.bold(line) : plain(line);
  });
  return parts.join('');
}
