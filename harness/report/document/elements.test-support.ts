/** Reads pages as XML, for tests. */
import { create } from 'xmlbuilder2';

export interface Element {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

/** All elements of a page; the XML parser rejects markup that is not well-formed. */
export function elementsOf(page: string): Element[] {
  const elements: Element[] = [];
  create(page).each(
    ({ node }) => {
      const { nodeType }: { nodeType: number } = node;
      if (nodeType !== 1) return;
      const element = node as unknown as { attributes: Iterable<{ name: string; value: string }> };
      const attributes = Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
      elements.push({ name: node.nodeName, attributes, text: node.textContent ?? '' });
    },
    false,
    true,
  );
  return elements;
}

/** The elements with a name. */
export const named = (elements: Element[], name: string): Element[] =>
  elements.filter((element) => element.name === name);
