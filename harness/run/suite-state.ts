/** The state that the slots of a run share. */

import type { Scope } from '../core/scope.js';
import type { Feature } from '../lab/feature/features.js';
import type { MacvlanMode } from '../link/macvlan.js';
import type { RunFolder } from './run-folder.js';
import type { TestRecord } from './record.js';
import type { RunListener, Keep, RunPlan } from './plan.js';

/** A suite while it runs. */
export interface SuiteState {
  /** Title of the outermost suite. */
  title: string;
  parent: SuiteState | undefined;
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
  /** The scope that reverts its changes. */
  scope?: Scope;
  /** Why its set-up failed. */
  failure?: unknown;
  /** The experiment that reported it, with the evidence. */
  failureReportedBy?: string;
  /** The range of its set-up's commands in the lab's log. */
  commandsFrom?: number;
  commandsTo?: number;
}
/** The state that all slots of a run share. */
export interface RunContext {
  folder: RunFolder;
  signal: AbortSignal;
  /** Aborts on an uncaught exception. Experiments that run at that time prove nothing. */
  uncaught: AbortSignal;
  listener: RunListener;
  bail: boolean;
  /** Absent: never. */
  keep?: Keep;
  /** Whether the evidence also has one pcap per capture point. */
  pcapPerPoint?: boolean;
  /** Receives the frames of all labs while the run continues. */
  captureTo?: RunPlan['captureTo'];
  /** Position of each selected experiment in the run, from 1, by {@link keyOf}. */
  numbers: ReadonlyMap<string, number>;
  /** Grows during the run. */
  records: TestRecord[];
  experimentEnded: RunPlan['experimentEnded'];
  pauseOnFailure?: RunPlan['pauseOnFailure'];
  /** Called when no further experiment may begin, on any slot. @param after the experiment after which the run ends by option */
  stop(after?: string): void;
}
/** Records a value that the kernel showed. */
export type Observe = (name: string, value: TestRecord['observed'][string]) => void;
/** Functions with which an experiment records values in addition to its verdict. */
export interface Notes {
  /** How the kernel behaves: the same in each run, so the value can be compared between kernels. */
  observe: Observe;
  /** A value that is not compared: a measurement, a result of chance, or an explanation by macvlab. */
  measure: Observe;
}
/** A suite and its enclosing suites, outermost first. */

export function suitesAround(suite: SuiteState | undefined): SuiteState[] {
  return suite ? [...suitesAround(suite.parent), suite] : [];
}
