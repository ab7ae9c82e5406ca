/** What a run knows of one experiment when its verdict is computed. */
import type { KernelComplaint } from '../lab/driver.js';

/** What has become of one ping, as far as a verdict depends on it. */
export interface PingFact {
  /** "ns1 to node2" */
  way: string;
  outcome: 'answered' | 'astray' | 'lost' | 'refused';
  /** In one line, from the captured frames. */
  reason: string;
  /** Whether any frame of a lost ping was captured. */
  wasSeen: boolean;
  /** Whether its outcome or its frames were asked for. */
  wasConsulted: boolean;
}

/** What is known of an experiment when its verdict is computed. Errors are absent where nothing went wrong. */
export interface Facts {
  /** The experiment's id: "A1.3". */
  id: string;
  /** Why the experiment did not begin: a failed set-up, a damaged lab, a missing feature. All other facts are empty then. */
  blocked?: unknown;
  /** What its body has thrown, or why the wait for its end was given up. */
  thrown?: unknown;
  /** The first assertion that did not hold, whether or not the body caught its error. */
  unheld?: unknown;
  /** The exchange that the failed assertion is about, listed after captures had time to deliver its frames. */
  listing?: string | undefined;
  /** Why the lab is gone. */
  death?: unknown;
  /** What the lab's own kernels have reported about themselves since the experiment before. */
  complaints: readonly KernelComplaint[];
  /** What each machine's console has shown, by machine. */
  consoles: ReadonlyMap<string, string>;
  /** Milliseconds by which this machine's clock was set, either way. */
  clockJump?: number | undefined;
  /** How many assertions the body has made. */
  assertions: number;
  /** How many commands the body has run in the lab. */
  asked: number;
  /** How many of them have read a state: of links, of routes, of a container engine. */
  readings: number;
  /** How many pings were still under way when the body ended. */
  pingsUnderWay: number;
  /** How many frames all captures have seen. */
  frames: number;
  pings: readonly PingFact[];
  /** Why the evidence could not be collected. */
  uncollected?: unknown;
  /** What could not be reverted. */
  left?: unknown;
  /** Why the evidence or the record could not be written. */
  unkept?: unknown;
  /** What a passed experiment has found, in one line. */
  finding?: string | undefined;
}
