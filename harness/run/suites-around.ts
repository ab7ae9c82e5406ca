/** Suites stand within suites. */
import type { SuiteState } from './stage.js';

/** A suite with those around it, outermost first. */
export function suitesAround(suite: SuiteState | undefined): SuiteState[] {
  return suite ? [...suitesAround(suite.parent), suite] : [];
}
