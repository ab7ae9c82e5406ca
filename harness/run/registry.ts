/** The experiments that suites have declared, with the file that each stands in. */
import type { Feature } from '../lab/features.js';
import type { MacvlanMode } from '../link/macvlan.js';

/** An experiment as it was declared. */
export interface Experiment {
  id: string;
  /** Without the id. */
  title: string;
  /** Title of the outermost suite. */
  suite: string;
  /** "suites/a1-modes.ts" */
  file: string;
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
  /** mocha's test. */
  test: Mocha.Test;
}

const declared: Experiment[] = [];
let file = '';

/** All experiments that the loaded suites have declared, in order. */
export function declaredExperiments(): readonly Experiment[] {
  return declared;
}

/** Adds an experiment of the file that is being loaded. */
export function declare(experiment: Omit<Experiment, 'file'>): Experiment {
  const complete = { ...experiment, file };
  declared.push(complete);
  return complete;
}

/** Says which file is loaded next: "suites/a1-modes.ts". */
export function declaringIn(path: string): void {
  file = path;
}
