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

/** Says what is wrong, the first thing in the message and all others as its evidence. */
export function refuse(source: Source, { issues }: z.ZodError): MacvlabError {
  const [first = wrong(source, 'it cannot be read'), ...others] = issues.flatMap((issue) => refusals(source, issue));
  const { code, message, next } = first;
  if (others.length === 0) return first;
  return new MacvlabError(code, message, { evidence: others.map((other) => other.message).join('\n'), next });
}

function refusals(source: Source, issue: z.core.$ZodIssue): MacvlabError[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const keys = keysAt(path);
      const meant = nearest(key, keys);
      const where = path.length > 0 ? `${path.join('.')} has` : 'it has';
      const words = `; keys: ${keys.join(', ')}${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`}`;
      return wrong(source, `${where} a key ${JSON.stringify(key)}, which means nothing${words}`, [...path, key]);
    });
  }
  const given: unknown = path.length > 0 ? source.document.getIn(path) : source.document.toJS();
  const words = wordsFor(path);
  if (path.length === 0)
    return [wrong(source, 'it is no mapping of keys to values; keys: machines, addresses, switch')];
  // A key that is there under a wrong name is told once, by that name.
  if (given === undefined && isMeantBy(source, path)) return [];
  if (given === undefined) return [wrong(source, `${path.join('.')} is missing; it is ${words}`, path)];
  return [wrong(source, `${path.join('.')}: ${shown(given)} is not allowed; allowed: ${words}`, path)];
}

/** Whether a key beside a missing one looks like it. */
function isMeantBy({ document }: Source, path: Path): boolean {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const keys = isMap(parent) ? parent.items.map(({ key }) => String(key)) : [];
  const known = keysAt(path.slice(0, -1));
  return keys.some((key) => !known.includes(key) && nearest(key, known) === path.at(-1));
}

/** The key that a misspelt one most looks like; undefined when it looks like none. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const near = known
    .map((each) => ({ each, steps: distance(key.toLowerCase(), each) }))
    .filter(
      ({ each, steps }) =>
        steps <= Math.max(1, Math.floor(each.length / 3)) || each.startsWith(key) || key.startsWith(each),
    );
  return near.sort((a, b) => a.steps - b.steps)[0]?.each;
}

/** How many letters have to be added, taken away or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let at = 0; at < a.length; at++) {
    const next = [at + 1];
    for (let index = 0; index < b.length; index++) {
      const replaced = (row[index] ?? 0) + Number(a[at] !== b[index]);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What is allowed at a path; of an element, what is allowed in the list. */
function wordsFor(path: Path): string {
  const names = path.filter((part) => typeof part === 'string');
  return allowed[names.slice(-2).join('.')] ?? allowed[names.at(-1) ?? ''] ?? 'another value';
}

/** The keys that a mapping may have. */
function keysAt(path: Path): string[] {
  const ssh = ['host', 'port', 'user', 'identity', 'sudo', 'jump', 'known-hosts'];
  const places: Readonly<Record<string, string[]>> = {
    '': ['machines', 'addresses', 'switch'],
    machines: ['node1', 'node2', 'router'],
    switch: ['hairpin', 'vlans', 'native', 'driver'],
    hairpin: ['node1', 'node2', 'router'],
    driver: ['bridge', 'command'],
    bridge: [...ssh, 'device', 'ports'],
    ports: ['node1', 'node2', 'router'],
  };
  return places[String(path.at(-1) ?? '')] ?? [...ssh, 'nic'];
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
