/**
 * Suites as plain data. A suite file declares {@link SuiteDeclaration}s. Each call of a declaration builds a new tree
 * with its own variables, so several runs in one process share nothing. `harness/run/mocha-tree.ts` runs such a tree.
 */
import type { Feature } from '../../lab/feature/features.js';
import type { AddressPlan } from '../../lab/lab.js';
import type { MacvlanMode } from '../../link/macvlan.js';
import type { Experiment } from './experiment-spec.js';
import type { TestContext } from '../test-context.js';

/** A group of experiments with the addresses and set-ups that they share. */
export interface SuiteSpec {
  title: string;
  /** Title of the outermost suite; the same as `title` if this suite is not nested. */
  outermost: string;
  /** "suites/a1-modes.ts" */
  file: string;
  addresses: AddressPlan;
  /** Its own modes, and those of the enclosing suites. */
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
  setUps: ((context: TestContext) => Promise<void>)[];
  /** Its experiments and nested suites, in the order of declaration. */
  parts: (ExperimentSpec | SuiteSpec)[];
}

/** An experiment with its body. */
export interface ExperimentSpec extends Experiment {
  body: (context: TestContext) => Promise<void>;
}

/** Builds the tree of an outermost suite. Each call builds a new tree. */
export type SuiteDeclaration = () => SuiteSpec;

/** Distinguishes an experiment from a nested suite. */
export function isExperiment(part: ExperimentSpec | SuiteSpec): part is ExperimentSpec {
  return 'body' in part;
}

/** All experiments of a suite and of its nested suites, in the order of declaration. */
export function experimentsIn({ parts }: SuiteSpec): ExperimentSpec[] {
  return parts.flatMap((part) => (isExperiment(part) ? [part] : experimentsIn(part)));
}

/** The suite whose definition is running. Definitions are synchronous, so it is undefined between them. */
let enclosing: SuiteSpec | undefined;

/** The suite whose definition is running, if any. */
export function enclosingSuite(): SuiteSpec | undefined {
  return enclosing;
}

/** Runs a suite's definition, and adds the declared experiments and nested suites to the suite. */
export function define(spec: SuiteSpec, definition: () => void): SuiteSpec {
  const outer = enclosing;
  enclosing = spec;
  try {
    definition();
    return spec;
  } finally {
    enclosing = outer;
  }
}

/** The suite file that is being loaded; undefined at other times. */
let loading: { file: string; declared: SuiteDeclaration[] } | undefined;

/**
 * Loads a suite file.
 * @param file "suites/a1-modes.ts"
 * @returns the outermost suites that it has declared with {@link register}, in order
 */
export async function declaredBy(file: string, load: () => Promise<unknown>): Promise<SuiteDeclaration[]> {
  const declared: SuiteDeclaration[] = [];
  loading = { file, declared };
  try {
    await load();
    return declared;
  } finally {
    loading = undefined;
  }
}

/**
 * Adds an outermost suite to the declarations of the file that is being loaded.
 * @param make receives the file's path: "suites/a1-modes.ts"
 * @throws Error when no suite file is being loaded
 */
export function register(make: (file: string) => SuiteDeclaration): void {
  if (!loading) throw new Error('suites are loaded by `macvlab run`, which builds their lab');
  loading.declared.push(make(loading.file));
}
