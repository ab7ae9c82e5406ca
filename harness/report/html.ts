/** HTML that cannot forget to escape: whatever a template is given becomes text, unless a template has made it. */
import { visible } from './text.js';

/** A piece of markup that a template of ours has made; nobody else can make one. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** What {@link html} does. */
  static template(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
    let markup = strings[0] ?? '';
    let ours = markup;
    values.forEach((value, index) => {
      markup += isInTag(ours) ? attribute(ours, value) : content(value);
      const next = strings[index + 1] ?? '';
      markup += next;
      ours += next;
    });
    return new Html(markup);
  }
}

/** What a template takes: lists are joined, and what is undefined or false leaves nothing behind. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * A template of markup. Values are escaped, control characters in them made visible. The markup is well-formed XML too when
 * each element is closed, so that an XML parser can tell that nothing has broken out.
 * @throws TypeError for a value in an attribute that is not between double quotes, or is markup itself
 */
export const html = (strings: TemplateStringsArray, ...values: HtmlValue[]): Html => Html.template(strings, ...values);

/** Whether what we have written so far ends within a tag. */
function isInTag(ours: string): boolean {
  return ours.lastIndexOf('<') > ours.lastIndexOf('>');
}

function attribute(ours: string, value: HtmlValue): string {
  const tag = ours.slice(ours.lastIndexOf('<'));
  const quotes = tag.split('"').length - 1;
  if (quotes % 2 === 0) throw new TypeError(`a value in a tag stands between double quotes: ${tag}`);
  if (typeof value === 'object') throw new TypeError(`markup cannot be the value of an attribute: ${tag}`);
  return content(value);
}

function content(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  return typeof value === 'object' ? value.map(content).join('') : escaped(String(value));
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that is the same in markup, also in an attribute's value. */
function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
