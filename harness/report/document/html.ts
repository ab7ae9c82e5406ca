/** HTML with templates that always escape: every value becomes text, unless a template made it. */
import { escape } from 'html-escaper';
import { visible } from '../text.js';

/** A piece of markup from one of our templates; no other code can make one. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** The implementation of {@link html}. */
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

/** The values of a template: lists are joined; undefined and false give no text. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * A template of markup. Values are escaped, and their control characters become visible. Markup with closed elements is
 * also well-formed XML, so that an XML parser can check that no value broke out.
 * @throws TypeError for a value in an attribute that is not between double quotes, or is markup itself
 */
export const html = (strings: TemplateStringsArray, ...values: HtmlValue[]): Html => Html.template(strings, ...values);

/** Whether our own markup so far ends inside a tag. */
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
  return typeof value === 'object' ? value.map(content).join('') : escape(visible(String(value)));
}
