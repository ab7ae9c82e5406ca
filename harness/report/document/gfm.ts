/** GitHub's Markdown (also GitLab's) with templates that always escape: every value becomes text. */
import { oneLine, visible } from '../text.js';

/** A piece of Markdown from one of our templates; no other code can make one. */
export class Gfm {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** The implementation of {@link gfm}. */
  static template(strings: TemplateStringsArray, ...values: GfmValue[]): Gfm {
    return new Gfm(strings.reduce((markup, next, index) => markup + content(values[index - 1]) + next));
  }

  /** A link; linkOf() has checked the address. */
  static link(text: string, address: string): Gfm {
    const url = address.replace(/[\s()<>|\\`*_[\]]/g, (character) =>
      encodeURIComponent(character).replace(/^[()*_]$/, hex),
    );
    return new Gfm(`[${escaped(text)}](${url})`);
  }

  /** Text that the reader can type; plain text if it would end the code or a table's cell. */
  static code(text: string): Gfm {
    const line = oneLine(text);
    return new Gfm(/[`|<]/.test(line) ? escaped(line) : `\`${line}\``);
  }

  /** A part of a line: spaces at its ends stay. */
  static part(text: string): Gfm {
    const [, before = '', after = ''] = /^(\s*)[^]*?(\s*)$/.exec(text) ?? [];
    return new Gfm(`${before && ' '}${escaped(text)}${after && ' '}`);
  }

  /** @param level 1 for the title of a document */
  static heading(level: number, title: Gfm): Gfm {
    return new Gfm(`${'#'.repeat(level)} ${title.toString()}`);
  }

  /** Indented as part of a list's item. */
  static indented(part: Gfm): Gfm {
    return new Gfm(part.toString().replace(/^(?!$)/gm, '  '));
  }

  /** The parts in sequence, without newlines at the end of each. */
  static join(parts: readonly Gfm[], separator: Gfm): Gfm {
    return new Gfm(parts.map((part) => part.toString().trimEnd()).join(separator.toString()));
  }

  /** Several literal lines. */
  static pre(text: string): Gfm {
    return new Gfm(`<pre>${entities(visible(text).trimEnd())}</pre>\n`);
  }

  /**
   * Folded below a title. The title's line is HTML, which would show a backslash. The blank lines end the HTML, and the
   * text between them is Markdown again.
   */
  static folded(title: string, within: Gfm): Gfm {
    const summary = inert(entities(oneLine(title)));
    return new Gfm(`<details><summary>${summary}</summary>\n\n${within.toString()}\n</details>\n`);
  }
}

/** The values of a template: lists are joined; undefined and false give no text. */
export type GfmValue = string | number | Gfm | undefined | false | readonly GfmValue[];

/** A template of Markdown. Values are escaped and put on one line, so that they end neither a cell nor a list. */
export const gfm = (strings: TemplateStringsArray, ...values: GfmValue[]): Gfm => Gfm.template(strings, ...values);

/** A table; no cell extends into another column. */
export function gfmTable(head: readonly GfmValue[], rows: readonly (readonly GfmValue[])[]): Gfm {
  const line = (cells: readonly GfmValue[]): Gfm => gfm`|${cells.map((cell) => gfm` ${cell} |`)}\n`;
  return gfm`${line(head)}|${head.map(() => gfm`---|`)}\n${rows.map(line)}`;
}

function content(value: GfmValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Gfm) return value.toString();
  return typeof value === 'object' ? value.map(content).join('') : escaped(String(value));
}

/** Text without effect: no part of it acts as Markdown or HTML. */
function escaped(text: string): string {
  return inert(entities(oneLine(text)).replace(/[\\`*[\]|~]|(?<!\w)_|_(?!\w)/g, '\\$&'));
}

/**
 * Protects text from conversions after Markdown. No backslash prevents these, but an element around a character does:
 * addresses, names (@), numbers of issues (#), formulas ($), and emoji, such as ":ab:" in a MAC address. A # or a dash
 * at the beginning would make a heading or a list.
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
