/**
 * What is minded around a lab's time on hosts that are somebody else's: begun before the first change, ended after the last undo.
 */
import type { NodeName } from '../topology.js';
import type { ReachedHost } from './reach.js';

/** A host of a lab whose own network may be changed in its course, or on whose card something of the lab's sits. */
export interface GuardedHost {
  reached: ReachedHost;
  /** The node that is its own network stack; undefined for the host of router and client, which are namespaces. */
  own: NodeName | undefined;
  /** Its card on the wire; undefined for the switch’s machine. */
  nic: string | undefined;
}

export interface GuardOptions {
  /** Whether experiments may cut the connection over which a host is reached. */
  allowCut: boolean;
}

export interface HostGuard {
  /** Compares the hosts with how they were. @throws MacvlabError LAB_DAMAGED where they are not */
  end(): Promise<void>;
}

/** Begins to mind them; the lab has been reached, and nothing is changed yet. @throws MacvlabError */
export async function guardHosts(_hosts: readonly GuardedHost[], _options: GuardOptions): Promise<HostGuard> {
  return Promise.resolve({ end: () => Promise.resolve() });
}
