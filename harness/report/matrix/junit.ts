/**
 * The JUnit XML view of a kernel table: a suite per kernel; see junit.ts for the conventions. A failure that a known
 * difference expects is skipped with that reason, so that a pipeline is green while nothing is worse than known. An
 * alarm is a failure. An experiment that has not run is an error.
 */
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import {
  addOutcome,
  addOutput,
  addSuite,
  addTest,
  junitDocument,
  pathFrom,
  type JunitOptions,
} from '../run/junit-parts.js';
import { testsOf, type JunitTest } from './junit-tests.js';

export interface MatrixJunitOptions extends JunitOptions {
  /** The matrix's folder, for paths as in junit.ts; without it, paths are relative to the matrix's folder. */
  folder?: string;
}

/** A kernel table as JUnit XML. A table without tests has a suite "macvlab" with an error, so that it is not green. */
export function matrixJunit(table: KernelTable, options: MatrixJunitOptions = {}): string {
  const { folder, base = process.cwd() } = options;
  const path = (evidence: string) => (folder === undefined ? evidence : pathFrom(base, folder, evidence));
  const { startedAt, machines, macvlab } = table;
  const where = { startedAt, machine: machines.join(', ') || 'unknown' };
  const common = { macvlab: macvlab.join(', '), startedAt };
  const suites = table.columns.map(({ name, version, release, origin }, position) => ({
    name: `Linux ${name}`,
    tests: testsOf(table, position),
    properties: { kernel: release, version, ...(origin !== undefined && { origin }), ...common },
  }));
  const withTests = suites.filter(({ tests }) => tests.length > 0);
  const all = withTests.length > 0 ? withTests : [{ name: 'macvlab', tests: [nothing], properties: common }];
  const name = `macvlab kernels ${startedAt.slice(0, 10)}`;
  return junitDocument({ name, ...countsOf(all.flatMap(({ tests }) => tests)) }, (root) => {
    for (const { name: title, tests, properties } of all) {
      const suite = addSuite(root, { name: title, ...countsOf(tests), ...where, properties });
      for (const { className, name: test, durationMs, outcome, properties: values, evidence } of tests) {
        const element = addTest(suite, className, test, durationMs);
        if (outcome) addOutcome(element, outcome.element, typeOf(outcome), outcome.message, outcome);
        addOutput(element, values, evidence === undefined ? [] : [path(evidence)]);
      }
    }
  });
}

/** The test of a table without kernels or experiments. */
const nothing: JunitTest = {
  ...{ className: 'macvlab', name: 'the matrix as a whole', durationMs: 0, properties: {} },
  outcome: { element: 'error', code: 'NO_EVIDENCE', message: 'nothing has been performed on any kernel' },
};

/** A skip has no type: the schema does not have one. */
function typeOf({ element, code }: NonNullable<JunitTest['outcome']>): string | undefined {
  return element === 'skipped' ? undefined : (code ?? 'ERROR');
}

function countsOf(tests: readonly JunitTest[]) {
  const count = (element: string) => tests.filter(({ outcome }) => outcome?.element === element).length;
  return {
    ...{ tests: tests.length, failures: count('failure'), errors: count('error'), skipped: count('skipped') },
    durationMs: tests.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}
