/** The interface of lab drivers: a driver detects missing prerequisites on this machine, and provides the machines of a lab. */
import type { Session } from '../remote/session.js';
import type { ExternalEnvironment } from './external-environment.js';
import type { Preflight } from './preflight.js';
import type { NodeName, Topology } from './topology.js';

/** One thing that a driver needs, found or not. */
export interface Prerequisite {
  /** "tcpdump", "root", "the kernel’s macvlan". */
  what: string;
  found: boolean;
  /** Where or which version; or why it is needed. */
  detail: string;
  /** Set if it exists but refuses to work: installing a program does not help. */
  refused?: true;
  /** Output of the program or of the kernel. */
  evidence?: string;
  /** The next step for the user if it is missing. */
  next?: string;
}

/** A machine of a lab, with the nodes on it. */
export interface Host {
  /** A session in the machine's own network stack. It can enter all network namespaces of the machine. */
  session: Session;
  /** The nodes on this machine. */
  nodes: readonly NodeName[];
  /** The node that is the machine itself. All other nodes on it are network namespaces, which exist already. */
  own?: NodeName;
  /** Set for a real host: wiring renames, configures and sets up no interface on it. */
  foreign?: true;
  /** Its NICs, each connected to another machine. Wiring finds them by MAC address and names them. */
  cards: readonly { node: NodeName; interface: string; mac: string }[];
}

/** One console line in which a kernel reports a problem. */
export interface KernelSplat {
  /** The guest whose kernel it is. */
  machine: string;
  /** The line, without its time. */
  line: string;
  /**
   * defect: a bug of the kernel (WARN, BUG, oops, panic, a sanitizer's or lockdep's report).
   * stall: the kernel got no processor for a long time, which happens to any guest on a busy machine.
   */
  kind: 'defect' | 'stall';
}

/** The splats of the kernels of a lab's machines, as far as the lab can read their consoles. */
export interface KernelLog {
  /**
   * Waits until the consoles have shown all kernel messages so far: consoles are asynchronous.
   * @throws MacvlabError REMOTE_DEAD, WAIT_DEADLINE
   */
  settle(): Promise<void>;
  /** The number of splats so far. */
  mark(): number;
  /** Splats since a mark; `machine` is the name of the guest. */
  since(mark: number): readonly KernelSplat[];
  /** The whole console output, by machine. */
  text(): ReadonlyMap<string, string>;
}

/** The kernel log of a lab that cannot read its kernels' consoles. */
export const noKernelLog: KernelLog = {
  settle: () => Promise.resolve(),
  mark: () => 0,
  since: () => [],
  text: () => new Map(),
};

/** The clock part of machines that share this machine's clock: there is nothing to measure. */
export const noClocks = { roundTrip: 0, setClocks: () => Promise.resolve() } as const;

/** Sessions with all nodes: labs that create their own machines have these. */
export type AllSessions = Record<NodeName, Session>;

/** Sessions with nodes. An inventory may have only node1 and node2. */
export type NodeSessions = Pick<AllSessions, 'node1' | 'node2'> & Partial<AllSessions>;

/** The common part of all open labs' machines. macvlab reaches them over SSH. */
interface CommonMachines {
  /** A session that sees every network namespace, if one machine holds all nodes. */
  machine: Session;
  /** One session per node. A node without a session is missing in the lab, or is a switch on which macvlab cannot log in. */
  nodes: NodeSessions;
  /** The command that starts sshd on an address of the lab, and the login for it. */
  ssh: { server: readonly string[]; user: string; privateKey: string; hostKey: string };
  /** Round-trip time of a command in milliseconds; 0 if it is negligible. */
  roundTrip: number;
  kernelLog: KernelLog;
  /** Measures the offset between the machines' clocks and this machine's clock again if it may have changed: separate clocks drift, and this machine's time can be set. */
  setClocks(): Promise<void>;
  /** Ends the machines and everything on them. */
  close(): Promise<void>;
}

/** Machines that the lab has created. */
export interface OwnMachines extends CommonMachines {
  external?: never;
  /**
   * The folder with the container engines' programs on the nodes' machines. `tree` is undefined if they have not been
   * downloaded. Absent in labs that do not run engines.
   */
  engines?: { tree: string | undefined };
  /** Absent if other processes cannot reach the machines. */
  detachable?: Detachable;
}

/** Machines that other processes can reach. */
export interface Detachable {
  /** The data that other processes need to reach them. */
  state: unknown;
  /** Leaves the machines running after this process ends. @returns the id of the process that holds them then */
  detach(): Promise<number>;
}

/** External hosts, on an external switch. */
export interface ExternalMachines extends CommonMachines {
  external: ExternalEnvironment;
  /** The names of the nodes' uplinks: the NIC of a real host has its own name. */
  uplinks: Partial<Record<NodeName, string>>;
  /** Snapshots of the hosts before and after, by file name. The later ones exist when the lab is closed. */
  snapshots: ReadonlyMap<string, string>;
  /**
   * The maximum time in milliseconds between the last frame of an exchange and a further frame. It is longer for NICs
   * with several queues and for link aggregation. Undefined for the usual value.
   */
  lateness: number | undefined;
}

/** The machines of an open lab. */
export type Machines = OwnMachines | ExternalMachines;

/** Options of a check. */
export interface CheckOptions {
  /** Also sends ARP requests, to detect hosts that already have an address that experiments use. */
  probe?: boolean;
}

export interface LabDriver {
  readonly name: string;
  /** The maximum number of its labs at a time; absent if unlimited. */
  readonly labs?: number;
  /** The topology of its labs; absent if it is the articles' topology. */
  readonly topology?: Topology;
  /** Present if its machines are real hosts. */
  readonly preflight?: Preflight;
  /** How many of this machine's processors one of its labs keeps busy; default 1. */
  readonly processors?: number;
  /** What this driver needs on this machine. Changes nothing. */
  check(options?: CheckOptions): Promise<Prerequisite[]>;
  /**
   * Does slow work that is the same for every lab in advance, such as downloading a kernel.
   * @returns the results by name: { kernel: "6.12.94 (Debian trixie)" }
   * @throws MacvlabError
   */
  prepare?(): Promise<Record<string, string>>;
  /**
   * Provides the machines.
   * @param wire called when a session with each machine is open; sessions with nodes may still be opening
   * @throws MacvlabError when a prerequisite of `check` is missing, or a machine does not start. Then it has removed
   * everything
   */
  open(topology: Topology, wire: (hosts: readonly Host[]) => Promise<void>): Promise<Machines>;
}
