/** Finds the keys for results without keys. Such results identify an experiment by id and title. */
import { createHash } from 'node:crypto';
import { keysOfOldTitles } from './keys-of-old-titles.js';

/** The name of an experiment before it had a key: "A1.1 bridge: ns1 reaches the gateway". */
export interface OldName {
  id: string;
  title: string;
}

/** The key of an experiment by its old id and title. An unknown title gets a key that no current experiment has. */
export function keyOfOldTitle({ id, title }: OldName): string {
  return keyOfOldName(`${id} ${title}`);
}

/** The same for id and title in one text, as in schema 1 of baselines. */
export function keyOfOldName(name: string): string {
  return findOldName(name) ?? unknownKey(name);
}

/** The key of an old id and title in one text; undefined if it is not in the table. */
export function findOldName(name: string): string | undefined {
  return Object.hasOwn(keysOfOldTitles, name) ? keysOfOldTitles[name] : undefined;
}

/** The old ids and titles of a key: "X3.1 bridge, hairpin on: a multicast of ns1 reaches its sibling". */
export function oldNamesOf(key: string): string[] {
  return namesByKey.get(key) ?? [];
}

const namesByKey = new Map<string, string[]>();
for (const [name, key] of Object.entries(keysOfOldTitles)) namesByKey.set(key, [...(namesByKey.get(key) ?? []), name]);

/** "old-a1-3-a-title-5f0c3a12": the hash separates titles that differ only in characters other than letters and digits. */
function unknownKey(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return ['old', ...words, hash].join('-');
}
