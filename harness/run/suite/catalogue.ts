/** The catalogue of experiments: loads the suites, and selects from the declared experiments. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MacvlabError } from '../../core/error.js';
import { nearest } from '../../core/nearest.js';
import type { MacvlanMode } from '../../link/macvlan.js';
import { expectedTests } from './expected-tests.js';
import { declaredBy, experimentsIn, type SuiteDeclaration } from './declare.js';
import { hasKey, refuseWrongKeys } from '../keys/key.js';
import { findOldName } from '../keys/old-titles.js';
import type { Experiment } from './experiment-spec.js';
import { keyOf } from '../record.js';
import { mochaWordsIn } from './mocha-words.js';
import { refuseMissingTests, refuseSilentTests } from './silent-tests.js';

export type { Experiment } from './experiment-spec.js';

const folder = new URL('../../../suites/', import.meta.url);
let loading: Promise<SuiteFile[]> | undefined;

/** The suites of one file. */
export interface SuiteFile {
  /** "suites/a1-modes.ts" */
  file: string;
  suites: readonly SuiteDeclaration[];
  /** Its experiments: all of them, or the chosen ones. */
  experiments: readonly Experiment[];
}

/**
 * Loads all suites, once in a process.
 * @throws MacvlabError NO_EVIDENCE if some of their tests would not run, or a key is malformed or declared twice
 */
export function loadSuites(): Promise<SuiteFile[]> {
  loading ??= load();
  return loading;
}

/** All experiments, in the order in which they run. */
export async function loadCatalogue(): Promise<readonly Experiment[]> {
  return (await loadSuites()).flatMap(({ experiments }) => experiments);
}

export interface Selection {
  /** Keys, ids ("A1.3"; "A1" for all of an article) or parts of titles, in any case; all experiments if empty. */
  filters: readonly string[];
  mode?: MacvlanMode | undefined;
  /** Only these, by key; all experiments if undefined. */
  only?: ReadonlySet<string> | undefined;
}

/**
 * The experiments that at least one filter matches.
 * @throws MacvlabError USAGE if a filter matches nothing, because an empty run would be green
 */
export function select(all: readonly Experiment[], { filters, mode, only }: Selection): Experiment[] {
  if (only) return selectOnly(all, only);
  for (const filter of filters) {
    if (!all.some((experiment) => matches(experiment, filter)))
      throw nothing(`no experiment matches "${filter}"`, all, filter);
  }
  const named =
    filters.length === 0 ? all : all.filter((experiment) => filters.some((filter) => matches(experiment, filter)));
  const chosen = mode === undefined ? named : named.filter(({ modes }) => modes.includes(mode));
  if (chosen.length === 0)
    throw nothing(`no experiment${filters.length > 0 ? ' of these' : ''} is about mode ${mode}`, all);
  return [...chosen];
}

function selectOnly(all: readonly Experiment[], only: ReadonlySet<string>): Experiment[] {
  const chosen = all.filter((experiment) => only.has(keyOf(experiment)));
  const missing = only.size - new Set(chosen.map(keyOf)).size;
  if (missing === 0 && chosen.length > 0) return chosen;
  throw new MacvlabError('USAGE', `${missing} of the ${only.size} experiments that were planned do not exist`, {
    next: 'perform them with the version of macvlab that planned them',
  });
}

/** Whether a filter matches an experiment: by its key, an alias, its id, a part of its title, or the whole title before it had a key. */
export function matches(experiment: Experiment, filter: string): boolean {
  const { key, aliases = [], id, title, suite } = experiment;
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return false;
  if ([key, ...aliases].some((each) => each.toLowerCase() === wanted)) return true;
  const old = findOldName(filter.trim());
  if (old !== undefined) return hasKey(experiment, old);
  if (/^[a-z]\d+(\.\d+)?$/.test(wanted))
    return id.toLowerCase() === wanted || id.toLowerCase().startsWith(`${wanted}.`);
  return `${suite} ${id} ${title}`.toLowerCase().includes(wanted);
}

function nothing(message: string, all: readonly Experiment[], filter?: string): MacvlabError {
  const ids = [...new Set(all.map(({ id }) => id))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const words = all.flatMap(({ title }) => title.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  const near = filter === undefined ? undefined : nearest(filter, [...ids, ...words, ...all.map(({ key }) => key)]);
  return new MacvlabError('USAGE', message, {
    evidence: `experiments: ${ids.join(' ')}`,
    next: `${near === undefined ? '' : `did you mean ${near}? `}run \`macvlab list\` to see all experiments with their titles`,
  });
}

async function load(): Promise<SuiteFile[]> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js') && !name.includes('.test'));
  const loaded: SuiteFile[] = [];
  for (const name of names.sort()) {
    const path = fileURLToPath(new URL(name, folder));
    const file = `suites/${basename(name, '.js')}.ts`;
    const suites: SuiteDeclaration[] = [];
    const experiments: Experiment[] = [];
    // A declaration through mocha's own functions would never run. It is detected here, and refused.
    const words = await mochaWordsIn(path, async () => {
      suites.push(...(await declaredBy(file, () => import(pathToFileURL(path).href))));
      experiments.push(...suites.flatMap((build) => experimentsIn(build())));
    });
    refuseSilentTests(file, words, experiments);
    loaded.push({ file, suites, experiments });
  }
  const all = loaded.flatMap(({ experiments }) => experiments);
  refuseMissingTests(all, expectedTests);
  refuseWrongKeys(all);
  return loaded;
}
