/**
 * The functions with which suites are written. `suite`, `setUp` and `experiment` correspond to mocha's `describe`,
 * `before` and `it`. They declare plain data (suite/declare.ts). A suite has the addresses of an article; an experiment
 * has an id and a record.
 */
import type { Feature } from '../lab/feature/features.js';
import type { AddressPlan } from '../lab/lab.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { define, enclosingSuite, register, type SuiteSpec } from './suite/declare.js';
import type { Keyed } from './keys/key.js';
import type { TestContext } from './test-context.js';

export interface SuiteOptions {
  /** Addresses and routes of the nodes while the suite runs. */
  addresses?: AddressPlan;
  /** Modes that all its experiments are about. */
  modes?: readonly MacvlanMode[];
  needs?: readonly Feature[];
}

/** The key of an experiment in records, and its additions to the suite's options. */
export type ExperimentOptions = Keyed & Pick<SuiteOptions, 'modes' | 'needs'>;

/** A group of experiments that share addresses and a `setUp`. All their changes to the lab are reverted at its end. */
export function suite(title: string, options: SuiteOptions, definition: () => void): void {
  const { addresses = {}, modes = [], needs = [] } = options;
  const parent = enclosingSuite();
  if (!parent) {
    register((file) => () => {
      const own = { title, outermost: title, file, addresses, modes, needs, setUps: [], parts: [] };
      return define(own, definition);
    });
    return;
  }
  const spec: SuiteSpec = {
    ...{ title, outermost: parent.outermost, file: parent.file, addresses, setUps: [], parts: [] },
    modes: [...parent.modes, ...modes],
    needs: [...parent.needs, ...needs],
  };
  parent.parts.push(define(spec, definition));
}

/**
 * Prepares the lab for all experiments of the enclosing suite. If it fails, each of them is an error (failed, if an
 * assertion in it fails). If the lab lacks a feature, each is skipped.
 */
export function setUp(work: (context: TestContext) => Promise<void>): void {
  inSuite().setUps.push(work);
}

/**
 * Declares one experiment of the articles' table.
 * @param title `<condition>: <expected result>`; the id is printed before it
 */
export function experiment(
  id: string,
  title: string,
  options: ExperimentOptions,
  body: (context: TestContext) => Promise<void>,
): void {
  const { outermost, file, modes, needs, parts } = inSuite();
  const { key, aliases } = options;
  parts.push({
    ...{ key, ...(aliases && { aliases }), id, title, suite: outermost, file, body },
    modes: [...modes, ...(options.modes ?? [])],
    needs: [...needs, ...(options.needs ?? [])],
  });
}

function inSuite(): SuiteSpec {
  const suite = enclosingSuite();
  if (!suite) throw new Error('setUp() and experiment() belong into a suite()');
  return suite;
}
