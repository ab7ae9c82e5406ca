/** The experiments that there are: the suites are loaded, and what they declare is selected from. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Mocha from 'mocha';
import { MacvlabError } from '../core/error.js';
import { nearest } from '../core/nearest.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { expectedTests } from './expected-tests.js';
import { declaredExperiments, declaringIn, type Experiment } from './registry.js';
import { keyOf } from './record.js';
import { refuseMissingTests, refuseSilentTests } from './silent-tests.js';

export type { Experiment } from './registry.js';

const folder = new URL('../../suites/', import.meta.url);
let loading: Promise<SuiteFile[]> | undefined;

/** The suites of one file, loaded into a mocha of their own, so that files can be performed side by side. */
export interface SuiteFile {
  /** "suites/a1-modes.ts" */
  file: string;
  mocha: Mocha;
}

/** Loads all suites, once in a process. @throws MacvlabError NO_EVIDENCE when some of their tests would not be performed */
export function loadSuites(): Promise<SuiteFile[]> {
  loading ??= load();
  return loading;
}

/** All experiments, in the order in which they are performed. */
export async function loadCatalogue(): Promise<readonly Experiment[]> {
  await loadSuites();
  return declaredExperiments();
}

export interface Selection {
  /** Ids ("A1.3"; "A1" for all of an article) or parts of titles, in any case; all experiments when empty. */
  filters: readonly string[];
  mode?: MacvlanMode | undefined;
  /** Only these, by id and title: "A1.3 bridge: ..."; all experiments when left out. */
  only?: ReadonlySet<string> | undefined;
}

/**
 * The experiments that at least one filter names.
 * @throws MacvlabError USAGE when a filter matches nothing: a run of nothing would be green
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

/** Whether a filter names an experiment. */
export function matches({ id, title, suite }: Experiment, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return false;
  if (/^[a-z]\d+(\.\d+)?$/.test(wanted))
    return id.toLowerCase() === wanted || id.toLowerCase().startsWith(`${wanted}.`);
  return `${suite} ${id} ${title}`.toLowerCase().includes(wanted);
}

function nothing(message: string, all: readonly Experiment[], filter?: string): MacvlabError {
  const ids = [...new Set(all.map(({ id }) => id))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const words = all.flatMap(({ title }) => title.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  const near = filter === undefined ? undefined : nearest(filter, [...ids, ...words]);
  return new MacvlabError('USAGE', message, {
    evidence: `experiments: ${ids.join(' ')}`,
    next: `${near === undefined ? '' : `did you mean ${near}? `}run \`macvlab list\` to see all experiments with their titles`,
  });
}

async function load(): Promise<SuiteFile[]> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js') && !name.includes('.test'));
  const loaded: SuiteFile[] = [];
  for (const name of names.sort()) {
    const mocha = new Mocha({ ui: 'bdd', timeout: 0, reporter: SilentReporter });
    const path = fileURLToPath(new URL(name, folder));
    const file = `suites/${basename(name, '.js')}.ts`;
    declaringIn(file);
    // What Mocha.loadFilesAsync does for each file, with the file's name known to what it declares.
    mocha.suite.emit(
      Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE,
      globalThis as unknown as Mocha.MochaGlobals,
      path,
      mocha,
    );
    await import(pathToFileURL(path).href);
    const own = declaredExperiments().filter((experiment) => experiment.file === file);
    refuseSilentTests(file, mocha.suite, own);
    loaded.push({ file, mocha });
  }
  refuseMissingTests(declaredExperiments(), expectedTests);
  return loaded;
}

/** mocha's own reporting is not needed: every report is made from the records. */
class SilentReporter extends Mocha.reporters.Base {}
