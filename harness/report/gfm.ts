/** GitHub's Markdown (also GitLab's) that cannot forget to escape: whatever a template is given becomes text. */
import { oneLine, visible } from './text.js';

/** A piece of Markdown that a template of ours has made; nobody else can make one. */
export class Gfm {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** What {@link gfm} does. */
  static template(strings: TemplateStringsArray, ...values: GfmValue[]): Gfm {
    return new Gfm(strings.reduce((markup, next, index) => markup + content(values[index - 1]) + next));
  }

  /** A link; the address is one that linkOf() has found to be an address. */
  static link(text: string, address: string): Gfm {
    const url = address.replace(/[\s()<>|\\`*_[\]]/g, (character) =>
      encodeURIComponent(character).replace(/^[()*_]$/, hex),
    );
    return new Gfm(`[${escaped(text)}](${url})`);
  }

  /** Several lines as they are. */
  static pre(text: string): Gfm {
    return new Gfm(`<pre>${entities(visible(text).trimEnd())}</pre>\n`);
  }

  /**
   * Folded away below a title. The title's line is HTML, in which a backslash would be shown; the blank lines end that, and
   * what is between them is Markdown again.
   */
  static folded(title: string, within: Gfm): Gfm {
    const summary = inert(entities(oneLine(title)));
    return new Gfm(`<details><summary>${summary}</summary>\n\n${within.toString()}\n</details>\n`);
  }
}

/** What a template takes: lists are joined, and what is undefined or false leaves nothing behind. */
export type GfmValue = string | number | Gfm | undefined | false | readonly GfmValue[];

/** A template of Markdown. Values are escaped and stand on one line, so that they neither end a cell nor a list. */
export const gfm = (strings: TemplateStringsArray, ...values: GfmValue[]): Gfm => Gfm.template(strings, ...values);

/** A table; a cell never has more than its own column. */
export function gfmTable(head: readonly GfmValue[], rows: readonly (readonly GfmValue[])[]): Gfm {
  const line = (cells: readonly GfmValue[]): Gfm => gfm`|${cells.map((cell) => gfm` ${cell} |`)}\n`;
  return gfm`${line(head)}|${head.map(() => gfm`---|`)}\n${rows.map(line)}`;
}

function content(value: GfmValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Gfm) return value.toString();
  return typeof value === 'object' ? value.map(content).join('') : escaped(String(value));
}

/** Text that stays as it is: nothing of it is taken for Markdown or HTML. */
function escaped(text: string): string {
  return inert(entities(oneLine(text)).replace(/[\\`*[\]|~]|(?<!\w)_|_(?!\w)/g, '\\$&'));
}

/**
 * Keeps text from what is made of it after Markdown, which no backslash prevents, but an element around a sign does: addresses,
 * names (@), numbers of issues (#), formulas ($), and emoji, of which ":ab:" in a MAC address is one. A # or a dash at the
 * beginning would make a heading or a list.
 */
function inert(text: string): string {
  const signs = /@(?=\w)|#(?=\d)|^[#+-](?=\s)|\$|:(?=\/\/)|:(?!\d\d:)(?=[\w+-]+:)|(?<=\bwww)\./gi;
  return text.replace(signs, '<span>$&</span>');
}

function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}
