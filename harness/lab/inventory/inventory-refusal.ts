/** What is wrong with an inventory: the line, what stands there, and what is allowed. */
import { type Document, isMap, isNode, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { MacvlabError } from '../../core/error.js';
import { allowed } from './inventory-schema.js';

/** The file, as it was read. */
export interface Source {
  file: string;
  document: Document;
  lines: LineCounter;
}

type Path = readonly (string | number)[];

/** "inventory.yaml, line 4"; the line of what is nearest to the path. */
export function whereIn({ file, document, lines }: Source, path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const at = path.slice(0, length);
    const parent: unknown = document.getIn(at.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(at.at(-1))) : undefined;
    const node: unknown = pair?.key ?? document.getIn(at, true);
    if (isNode(node) && node.range) return `inventory ${file}, line ${lines.linePos(node.range[0]).line}`;
  }
  return `inventory ${file}`;
}

/** Says what is wrong with the first thing that is. */
export function refuse(source: Source, { issues }: z.ZodError): MacvlabError {
  const [issue] = issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const keys = knownKeys(path);
    const where = path.length > 0 ? `${path.join('.')} has` : 'it has';
    return wrong(source, `${where} a key ${JSON.stringify(key)}, which means nothing${keys}`, [...path, key]);
  }
  const given: unknown = path.length > 0 ? source.document.getIn(path) : source.document.toJS();
  const words = wordsFor(path);
  if (path.length === 0) return wrong(source, 'it is no mapping of keys to values; keys: machines, addresses, switch');
  if (given === undefined) return wrong(source, `${path.join('.')} is missing; it is ${words}`, path);
  return wrong(source, `${path.join('.')}: ${shown(given)} is not allowed; allowed: ${words}`, path);
}

/** What is allowed at a path; of an element, what is allowed in the list. */
function wordsFor(path: Path): string {
  const names = path.filter((part) => typeof part === 'string');
  return allowed[names.slice(-2).join('.')] ?? allowed[names.at(-1) ?? ''] ?? 'another value';
}

/** The keys that a mapping may have. */
function knownKeys(path: Path): string {
  const places: Readonly<Record<string, string>> = {
    '': 'machines, addresses, switch',
    machines: 'node1, node2, router',
    switch: 'hairpin, vlans, native, driver',
    hairpin: 'node1, node2, router',
    driver: 'bridge, command',
    bridge: 'host, port, user, identity, sudo, jump, known-hosts, device, ports',
    ports: 'node1, node2, router',
  };
  const keys = places[String(path.at(-1) ?? '')] ?? 'host, port, user, identity, sudo, jump, known-hosts, nic';
  return `; keys: ${keys}`;
}

/** A value as it was given, unless it is long, or a key that stands where a file’s name should. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.includes('PRIVATE KEY')) return 'a private key itself';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function wrong(source: Source, why: string, path: Path = []): MacvlabError {
  return wrongIn(whereIn(source, path), why);
}

/** What is wrong at a place that is told already. */
export function wrongIn(where: string, why: string): MacvlabError {
  return new MacvlabError('USAGE', `${where}: ${why}`, {
    next: 'mend the file there, or name another with --inventory; docs/inventory.md shows what stands in it',
  });
}
