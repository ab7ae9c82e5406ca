/** Refuses suites with tests that would silently not run, when they are loaded. */
import type Mocha from 'mocha';
import { MacvlabError } from '../../core/error.js';
import type { Experiment } from './experiment-spec.js';

/**
 * Checks the tests of one file.
 * @param root mocha's outermost suite, with the file's declarations through mocha's own functions
 * @param own the experiments that the file has declared
 * @throws MacvlabError NO_EVIDENCE if a part of it would not run
 */
export function refuseSilentTests(file: string, root: Mocha.Suite, own: readonly Experiment[]): void {
  const tests = testsIn(root);
  const suites = suitesIn(root);
  const pending = [...suites, ...tests].find((each) => each.isPending());
  if (pending) throw silent(file, `“${pending.fullTitle()}” is skipped`, 'take .skip away: say what it needs instead');
  if (hasOnly(root)) throw silent(file, 'some of its tests are chosen by .only', 'take .only away: name ids to choose');
  const [test] = tests;
  if (test) throw silent(file, `“${test.fullTitle()}” is no experiment`, 'declare it with experiment(), not with it()');
  const [, suite] = suites;
  if (suite)
    throw silent(file, `“${suite.fullTitle()}” is not a suite()`, 'declare it with suite(), not with describe()');
  if (hasHooks(root))
    throw silent(file, 'it has a hook of mocha', 'use setUp(); what a lab is given is undone by itself');
  if (own.length === 0) throw silent(file, 'it declares no experiment', 'let it declare one, or take the file away');
}

/**
 * Checks all experiments together.
 * @param expected number of experiments of each file
 * @throws MacvlabError NO_EVIDENCE if a file declares fewer
 */
export function refuseMissingTests(all: readonly Experiment[], expected: Readonly<Record<string, number>>): void {
  for (const [file, count] of Object.entries(expected)) {
    const found = all.filter((experiment) => experiment.file === file).length;
    if (found >= count) continue;
    throw silent(
      file,
      `it declares ${found} experiments, and ${count} are expected`,
      'look which are missing; when they were taken away on purpose, write the number into harness/run/suite/expected-tests.ts',
    );
  }
}

function silent(file: string, what: string, next: string): MacvlabError {
  return new MacvlabError('NO_EVIDENCE', `${file} would not be performed as a whole: ${what}`, { next });
}

function testsIn(suite: Mocha.Suite): Mocha.Test[] {
  return [...suite.tests, ...suite.suites.flatMap(testsIn)];
}

function suitesIn(suite: Mocha.Suite): Mocha.Suite[] {
  return [suite, ...suite.suites.flatMap(suitesIn)];
}

/** mocha stores hooks in fields that are not in its types (lib/suite.js). */
function hasHooks(suite: Mocha.Suite): boolean {
  const { _beforeAll, _beforeEach, _afterAll, _afterEach } = suite as unknown as Record<string, unknown[] | undefined>;
  return [_beforeAll, _beforeEach, _afterAll, _afterEach].some((hooks) => (hooks ?? []).length > 0);
}

/** mocha stores exclusive tests in separate lists, in fields that are not in its types (lib/suite.js, `hasOnly`). */
function hasOnly(suite: Mocha.Suite): boolean {
  return (suite as unknown as { hasOnly(): boolean }).hasOnly();
}
