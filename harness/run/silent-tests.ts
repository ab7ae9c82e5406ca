/** Suites whose tests would not be performed, and nobody would know: they are refused when they are loaded. */
import type Mocha from 'mocha';
import { MacvlabError } from '../core/error.js';
import { keyOf } from './record.js';
import type { Experiment } from './registry.js';

/**
 * Looks at the tests of one file.
 * @param root mocha's outermost suite, of this file alone
 * @param own the experiments that the file has declared
 * @throws MacvlabError NO_EVIDENCE when one of its tests would be passed over
 */
export function refuseSilentTests(file: string, root: Mocha.Suite, own: readonly Experiment[]): void {
  const declared = new Set(own.map(({ test }) => test));
  const tests = testsIn(root);
  const stranger = tests.find((test) => !declared.has(test));
  if (stranger) {
    throw silent(file, `“${stranger.fullTitle()}” is no experiment`, 'declare it with experiment(), not with it()');
  }
  const pending = tests.find((test) => test.isPending());
  if (pending) throw silent(file, `“${pending.fullTitle()}” is skipped`, 'take .skip away: say what it needs instead');
  if (hasOnly(root)) throw silent(file, 'some of its tests are chosen by .only', 'take .only away: name ids to choose');
  if (own.length === 0) throw silent(file, 'it declares no experiment', 'let it declare one, or take the file away');
}

/**
 * Looks at all experiments together.
 * @param expected how many each file has
 * @throws MacvlabError NO_EVIDENCE when a file declares fewer, or two experiments cannot be told apart
 */
export function refuseMissingTests(all: readonly Experiment[], expected: Readonly<Record<string, number>>): void {
  for (const [file, count] of Object.entries(expected)) {
    const found = all.filter((experiment) => experiment.file === file).length;
    if (found >= count) continue;
    throw silent(
      file,
      `it declares ${found} experiments, and ${count} are expected`,
      'look which are missing; when they were taken away on purpose, write the number into harness/run/expected-tests.ts',
    );
  }
  const seen = new Set<string>();
  for (const experiment of all) {
    const key = keyOf(experiment);
    if (seen.has(key)) throw silent(experiment.file, `there are two experiments “${key}”`, 'give one another title');
    seen.add(key);
  }
}

function silent(file: string, what: string, next: string): MacvlabError {
  return new MacvlabError('NO_EVIDENCE', `${file} would not be performed as a whole: ${what}`, { next });
}

function testsIn(suite: Mocha.Suite): Mocha.Test[] {
  return [...suite.tests, ...suite.suites.flatMap(testsIn)];
}

/** mocha keeps what is chosen beside its lists, in fields that its types do not tell of (lib/suite.js, `hasOnly`). */
function hasOnly(suite: Mocha.Suite): boolean {
  return (suite as unknown as { hasOnly(): boolean }).hasOnly();
}
