/** Errors about a wrong inventory: the line, the value there, and the allowed values. */
import { type Document, isMap, isNode, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { MacvlabError } from '../../../core/error.js';
import { allowed } from './inventory-schema.js';

/** The file and its parsed content. */
export interface Source {
  file: string;
  document: Document;
  lines: LineCounter;
}

type Path = readonly (string | number)[];

/** "inventory lab.yaml, line 4": the line of the longest part of the path that exists. */
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

/** The error for all issues: its message is the first issue, and its evidence contains the others. */
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
  // The issue unrecognized_keys reports a misspelt key already.
  if (given === undefined && isMeantBy(source, path)) return [];
  if (given === undefined) return [wrong(source, `${path.join('.')} is missing; it is ${words}`, path)];
  return [wrong(source, `${path.join('.')}: ${shown(given)} is not allowed; allowed: ${words}`, path)];
}

/** Whether another key of the same mapping is a misspelling of the missing key. */
function isMeantBy({ document }: Source, path: Path): boolean {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const keys = isMap(parent) ? parent.items.map(({ key }) => String(key)) : [];
  const known = keysAt(path.slice(0, -1));
  return keys.some((key) => !known.includes(key) && nearest(key, known) === path.at(-1));
}

/** The allowed key that a misspelt one resembles most; undefined if it resembles none. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const near = known
    .map((each) => ({ each, steps: distance(key.toLowerCase(), each) }))
    .filter(
      ({ each, steps }) =>
        steps <= Math.max(1, Math.floor(each.length / 3)) || each.startsWith(key) || key.startsWith(each),
    );
  return near.sort((a, b) => a.steps - b.steps)[0]?.each;
}

/** The number of letters to add, remove or replace (Levenshtein distance). */
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

/** The allowed values at a path; for an element, those of its list. */
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

/** A value for a message: shortened if it is long, replaced if it is a private key instead of a file’s name. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.includes('PRIVATE KEY')) return 'a private key itself';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function wrong(source: Source, why: string, path: Path = []): MacvlabError {
  return wrongIn(whereIn(source, path), why);
}

/** The error for a place in the form of {@link whereIn}. */
export function wrongIn(where: string, why: string): MacvlabError {
  return new MacvlabError('USAGE', `${where}: ${why}`, {
    next: 'mend the file there, or name another with --inventory; docs/inventory.md shows what stands in it',
  });
}
