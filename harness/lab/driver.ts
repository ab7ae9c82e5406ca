/** What a lab driver is: it knows what is missing on this machine, and gives the machines. */
import type { Session } from '../remote/session.js';
import type { NodeName, Topology } from './topology.js';

/** One thing that a driver needs, found or not. */
export interface Finding {
  /** "tcpdump", "root", "the kernel’s macvlan". */
  what: string;
  found: boolean;
  /** Where or which version; or why it is needed. */
  detail: string;
  /** What to do when it is missing. */
  next?: string;
}

/** The machines of an open lab, reached over SSH. */
export interface Machines {
  /** A session that sees every network namespace, where one machine holds all nodes. */
  machine: Session;
  /** One session per node. */
  nodes: Record<NodeName, Session>;
  /** How a node's sshd is made to listen on an address of the lab's own, and who may log in there. */
  ssh: { server: readonly string[]; user: string; privateKey: string; hostKey: string };
  /** Ends the machines and everything on them. */
  close(): Promise<void>;
  /** Leaves the machines running when this process ends; returns the process that holds them. */
  keep?(): Promise<{ keeper: number; state: unknown }>;
}

export interface LabDriver {
  readonly name: string;
  /** What this driver needs on this machine. Changes nothing. */
  check(): Promise<Finding[]>;
  /**
   * Gives the machines.
   * @param wire called, where one machine holds all nodes as network namespaces, with a session that sees them, while the
   *   sessions with the nodes are still being opened
   * @throws MacvlabError when something that `check` names is missing, or the machines do not come up; nothing is left then
   */
  open(topology: Topology, wire: (machine: Session) => Promise<void>): Promise<Machines>;
}
