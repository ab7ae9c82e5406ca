/**
 * The keys of experiments. A key is a slug that stays when the title or the place of an experiment changes. Records,
 * baselines and known differences identify an experiment by it.
 */
import { MacvlabError } from '../../core/error.js';

/** An object with a key. */
export interface Keyed {
  /** "a1-bridge-to-sibling"; unique over all suites. */
  key: string;
  /** Earlier keys of the experiment. They still find it. */
  aliases?: readonly string[];
}

/** A keyed experiment with the place of its declaration. */
export interface DeclaredKey extends Keyed {
  id: string;
  title: string;
  /** "suites/a1-modes.ts" */
  file: string;
}

/** The characters of a key. */
export const keyPattern = /^[A-Za-z0-9-]+$/;

/** "A1", "x9": such a filter selects the ids of an article, so a key must not have this form. */
const articlePattern = /^[a-z]\d+$/i;

/** The compiler does not check suites that are not TypeScript. Their keys may have any type. */
function isKey(key: unknown): boolean {
  return typeof key === 'string' && keyPattern.test(key) && !articlePattern.test(key);
}

/** Whether an experiment has this key or alias. */
export function hasKey({ key, aliases = [] }: Keyed, wanted: string): boolean {
  return key === wanted || aliases.includes(wanted);
}

/**
 * Checks the keys and aliases of all suites. Upper and lower case count as the same.
 * @throws MacvlabError NO_EVIDENCE for a key that is malformed, or that two experiments have
 */
export function refuseWrongKeys(all: readonly DeclaredKey[]): void {
  const places = new Map<string, DeclaredKey>();
  for (const experiment of all) {
    for (const key of [experiment.key, ...(experiment.aliases ?? [])]) {
      if (!isKey(key)) throw malformed(key, experiment);
      const other = places.get(key.toLowerCase());
      if (other) throw duplicate(key, other, experiment);
      places.set(key.toLowerCase(), experiment);
    }
  }
}

function malformed(key: string, experiment: DeclaredKey): MacvlabError {
  return new MacvlabError('NO_EVIDENCE', `the key “${key}” of ${placeOf(experiment)} is malformed`, {
    next: 'write a key of letters, digits and hyphens, such as bridge-to-sibling; “a1” alone would name the ids of an article',
  });
}

function duplicate(key: string, one: DeclaredKey, other: DeclaredKey): MacvlabError {
  const message =
    one === other
      ? `the key “${key}” is declared twice by ${placeOf(one)}`
      : `the key “${key}” is declared by two experiments: ${placeOf(one)}, and ${placeOf(other)}`;
  return new MacvlabError('NO_EVIDENCE', message, { next: 'give one of them another key' });
}

/** "“A1.1 bridge, ping to the gateway: answered” in suites/a1-modes.ts" */
function placeOf({ id, title, file }: DeclaredKey): string {
  return `“${id} ${title}” in ${file}`;
}
