/** The report of a dry run about a lab on external hosts, before it contacts any of them. */

import type { ExternalEnvironment } from './external-environment.js';
import type { Topology, NodeName } from './topology.js';

/** The topology that a dry run imitates. */
export interface DryRunTopology {
  network: Topology;
  external: Omit<ExternalEnvironment, 'macRange' | 'taken' | 'sessions'> &
    Partial<Pick<ExternalEnvironment, 'taken' | 'sessions'>>;
  uplinks: Partial<Record<NodeName, string>>;
}
/** The preparation of a machine. */
export interface Preparation {
  machine: string;
  lines: readonly string[];
  /** Commands and scripts in full, for `--details`. */
  details: readonly string[];
}
/** A description of a lab on external hosts. It exists before macvlab contacts any of them. */
export interface Preflight {
  /** The planned changes, in a few lines. @param ids of the chosen experiments: it contains only what they use */
  statement: (ids: readonly string[]) => string[];
  /** The steps on each machine before it has nodes. */
  preparation: readonly Preparation[];
  dryRun: DryRunTopology;
}
