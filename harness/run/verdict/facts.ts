/** The facts about one experiment from which its verdict is computed. */
import type { KernelSplat } from '../../machine/driver.js';

/** The result of one ping, as far as a verdict depends on it. */
export interface PingFact {
  /** "ns1 to node2" */
  way: string;
  outcome: 'answered' | 'misdelivered' | 'lost' | 'refused';
  /** One line, derived from the captured frames. */
  reason: string;
  /** Whether any frame of a lost ping was captured. */
  wasSeen: boolean;
  /** Whether its outcome or its frames were read. */
  wasConsulted: boolean;
}

/** The facts about an experiment from which its verdict is computed. Errors are absent if none occurred. */
export interface Facts {
  /** The experiment's id: "A1.3". */
  id: string;
  /** Why the experiment did not begin: a failed set-up, a damaged lab, a missing feature. All other facts are empty then. */
  blocked?: unknown;
  /** The error that its body threw, or why the wait for its end was aborted. */
  thrown?: unknown;
  /** The first assertion that did not hold, whether or not the body caught its error. */
  unheld?: unknown;
  /** The exchange of the failed assertion, listed after captures had time to deliver its frames. */
  listing?: string | undefined;
  /** Why the lab is gone. */
  death?: unknown;
  /** Splats of the lab's own kernels since the previous experiment. */
  splats: readonly KernelSplat[];
  /** The console output of each machine. */
  consoles: ReadonlyMap<string, string>;
  /** Milliseconds by which this machine's clock was set, forward or back. */
  clockJump?: number | undefined;
  /** How many assertions the body has made. */
  assertions: number;
  /** How many commands the body has run in the lab. */
  asked: number;
  /** How many of them have read a state: of links, of routes, of a container engine. */
  readings: number;
  /** How many pings were still running when the body ended. */
  pingsUnderWay: number;
  /** How many frames all captures have recorded. */
  frames: number;
  pings: readonly PingFact[];
  /** Why the evidence could not be collected. */
  uncollected?: unknown;
  /** What could not be reverted. */
  left?: unknown;
  /** Why the evidence or the record could not be written. */
  unkept?: unknown;
  /** The finding of a passed experiment, in one line. */
  finding?: string | undefined;
}
