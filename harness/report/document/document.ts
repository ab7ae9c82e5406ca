/**
 * A report as a document: its content, without its appearance. It is built once, and each format has one renderer:
 * render-terminal.ts, render-markdown.ts, render-html.ts.
 */

import type { Html } from './html.js';

/** The meaning of a text. A tone always comes with a word, because a report is also read without colours. */
export type Tone = 'passed' | 'expected' | 'skipped' | 'failed' | 'error' | 'alarm' | 'missing';

/** A part of a text that is more than plain. Any text may come from outside macvlab: renderers escape it. */
export interface Span {
  text: string;
  tone?: Tone;
  style?: 'strong' | 'code';
  /** An address for the reader to open: see {@link linkOf}. */
  address?: string;
  /** Keys of the grid rows that it is about. */
  rows?: readonly string[];
  /** The name of the section or folded blocks that it is about. */
  section?: string;
}

/** A line of text. */
export type Text = string | readonly (string | Span)[];

export interface Section {
  /** Its anchor on a page; unique in the document. */
  name: string;
  title: Text;
  blocks: readonly Block[];
  /** Its subsections. */
  sections?: readonly Section[];
}

export interface Document {
  title: string;
  /** The blocks above all sections. */
  lead: readonly Block[];
  /** An instruction for the reader, with its command. */
  notice?: { text: string; command: string };
  sections: readonly Section[];
}

export type Block =
  | { kind: 'text'; text: Text }
  | { kind: 'list'; items: readonly Item[] }
  /** Literal lines, such as a program's output. */
  | { kind: 'code'; text: string }
  /** A folder, or a file, relative to the document's folder. */
  | { kind: 'file'; title: string; path: string; isFile?: true }
  /** Blocks that the reader can open. A terminal omits them. */
  | { kind: 'folded'; title: Text; blocks: readonly Block[]; name?: string; isOpen?: boolean }
  /** An image. Only a page shows it. */
  | { kind: 'drawing'; image: Html }
  | Table
  | Grid;

export interface Item {
  text: Text;
  below?: readonly Block[];
}

export interface Table {
  kind: 'table';
  head: readonly string[];
  rows: readonly { cells: readonly Text[]; below?: readonly Block[] }[];
}

/** Words by row and column, such as verdicts by experiment and kernel. */
export interface Grid {
  kind: 'grid';
  /** The kind of its rows: "experiment". */
  heading: string;
  caption: string;
  /** The words for all columns: "all kernels". */
  all: string;
  columns: readonly { name: string; title: string }[];
  rows: readonly GridRow[];
  /** Whether a page has a filter for it. */
  filter?: boolean;
}

export interface GridRow {
  /** The target of {@link Span.rows}: its key, and the beginning of its anchor. */
  anchor?: { key: string; id: string };
  title: string;
  /** A report shows rows of one group together. */
  group?: string;
  /** All cells are as they should be, and the same in all columns. */
  isPlain: boolean;
  cells: readonly GridCell[];
  /** Further values; undefined for a column without one. */
  values: readonly { name: string; cells: readonly (string | undefined)[] }[];
}

export interface GridCell {
  word: string;
  tone: Tone;
  /** The reason, in a few words. */
  title: string;
  /** All details. A terminal omits them. */
  about: readonly Block[];
}

/** A paragraph. */
export function text(...parts: (string | Span)[]): Block {
  return { kind: 'text', text: parts };
}

/** A list; no block if it would be empty. */
export function list(items: readonly Item[]): Block[] {
  return items.length > 0 ? [{ kind: 'list', items }] : [];
}

/** A word in the colour of its tone. */
export function word(tone: Tone, word: string): Span {
  return { text: word, tone };
}

/** Emphasized text. */
export function strong(text: string): Span {
  return { text, style: 'strong' };
}

/** Text that the reader can type, or an identifier. */
export function code(text: string): Span {
  return { text, style: 'code' };
}

/** The parts of a text. */
export function spansOf(text: Text): readonly Span[] {
  const parts = typeof text === 'string' ? [text] : text;
  return parts.map((part) => (typeof part === 'string' ? { text: part } : part));
}

/** The words of a text, without markup. */
export function plainText(text: Text): string {
  return spansOf(text)
    .map((span) => span.text)
    .join('');
}

/** An address for the reader to open; undefined for another source, such as a commit or the title of a document. */
export function linkOf(source: string): string | undefined {
  if (!/^https?:\/\/[^\s]+$/i.test(source) || !URL.canParse(source)) return undefined;
  return new URL(source).href;
}
