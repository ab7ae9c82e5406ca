/** What a lab driver is: it knows what is missing on this machine, and gives the machines. */
import type { Session } from '../remote/session.js';
import type { Beforehand } from './rehearsal.js';
import type { NodeName, Topology } from './topology.js';

/** One thing that a driver needs, found or not. */
export interface Finding {
  /** "tcpdump", "root", "the kernel’s macvlan". */
  what: string;
  found: boolean;
  /** Where or which version; or why it is needed. */
  detail: string;
  /** That it is there, and refuses: no program to be installed. */
  refused?: true;
  /** What it has said. */
  evidence?: string;
  /** What to do when it is missing. */
  next?: string;
}

/** A machine of a lab, and which nodes live on it. */
export interface Host {
  /** A session in the machine's own network stack, from which all its namespaces are seen. */
  session: Session;
  /** The nodes on it. */
  nodes: readonly NodeName[];
  /** The node that is the machine itself; all others on it are network namespaces, which stand already. */
  own?: NodeName;
  /** Whether that node is somebody else's: nothing is named, set or set up in it. */
  foreign?: true;
  /** Its network cards, each an end of a cable to another machine: told by their MAC addresses, named by wiring. */
  cards: readonly { node: NodeName; interface: string; mac: string }[];
}

/** One line by which a kernel reports trouble of its own. */
export interface KernelComplaint {
  /** The guest whose kernel it is. */
  machine: string;
  /** The line, without its time. */
  line: string;
  /**
   * defect: a bug of the kernel (WARN, BUG, oops, panic, a sanitizer's or lockdep's report); stall: it got no processor for
   * long, which a busy machine does to any guest.
   */
  kind: 'defect' | 'stall';
}

/** What the kernels of a lab's own machines complain about, where the lab can read it. */
export interface KernelLog {
  /**
   * Waits until the consoles have shown all that the kernels have said up to now: consoles are asynchronous.
   * @throws MacvlabError REMOTE_DEAD, WAIT_DEADLINE
   */
  settle(): Promise<void>;
  /** How many complaints there have been. */
  mark(): number;
  /** Complaints since then; the machine's name is that of a guest. */
  since(mark: number): readonly KernelComplaint[];
  /** Everything the machines' consoles have shown, by machine. */
  text(): ReadonlyMap<string, string>;
}

/** Sessions with all nodes, as labs have them that make their machines themselves. */
export type AllSessions = Record<NodeName, Session>;

/** Sessions with nodes. Of hosts that somebody else has put on a wire there may be no more than the two ends of it. */
export type NodeSessions = Pick<AllSessions, 'node1' | 'node2'> & Partial<AllSessions>;

/** The machines of an open lab, reached over SSH. */
export interface Machines {
  /** A session that sees every network namespace, where one machine holds all nodes. */
  machine: Session;
  /** One session per node; without one, the lab lacks that node, or nobody may look into its switch. */
  nodes: NodeSessions;
  /** What the nodes' uplinks are called where that is not what the topology calls them: a host's card has its own name. */
  uplinks?: Partial<Record<NodeName, string>>;
  /** Present where hosts, wire and switch are somebody else's. */
  premises?: Premises;
  /** How a node's sshd is made to listen on an address of the lab's own, and who may log in there. */
  ssh: { server: readonly string[]; user: string; privateKey: string; hostKey: string };
  /**
   * Where the nodes' machines have the container engines' programs, as a folder; undefined when these have not been fetched. Left out
   * by labs in which engines are not run.
   */
  engines?: { tree: string | undefined };
  /** Present where the machines' kernels are the lab's own. */
  kernelLog?: KernelLog;
  /** How machines that are somebody else's were before and after, by files' names; those of afterwards are there when it is closed. */
  snapshots?: ReadonlyMap<string, string>;
  /** Milliseconds that a command takes there and back; left out where that is no time at all. */
  roundTrip?: number;
  /**
   * Milliseconds behind the last frame of an exchange in which another may still come: longer than in a kernel where cards have several
   * queues, and switches several cables for one way.
   */
  lateness?: number;
  /** Measures the machines' clocks against ours once more, where they have clocks of their own: these drift apart. */
  setClocks?(): Promise<void>;
  /** Ends the machines and everything on them. */
  close(): Promise<void>;
  /** Leaves the machines running when this process ends; returns the process that holds them. */
  keep?(): Promise<{ keeper: number; state: unknown }>;
}

/** What is known of, and to be minded on, hosts and a wire that are not the lab's own. */
export interface Premises {
  /** The nodes that are a host's own network stack; all others are namespaces of the lab. */
  own: readonly NodeName[];
  /** Where the hosts are, by what the inventory calls them: { node1: "ops@10.0.0.11" }; left out of a rehearsal. */
  hosts?: Readonly<Record<string, string>>;
  switch: OthersSwitch;
  /** Networks in CIDR form whose addresses may be used; any, when left out. */
  addresses?: readonly string[];
  /** Networks in CIDR form that a host needs for something else, and for what: "who reaches node1 over SSH". */
  taken?: readonly { network: string; by: string }[];
  /** The first four bytes of the MAC address of whatever is made on the hosts: "02:6d:1a:2b". */
  macRange: string;
  /** Nobody else is on the wire: it is a rehearsal. */
  alone?: true;
  /**
   * Why nothing may keep a host's frames from it: its card carries the session by which it is reached, and nobody could undo that any
   * more. By node; left out where it may.
   */
  sessions?: Partial<Record<NodeName, string>>;
  /** Why node1's uplink must not be taken down, or change its address; left out where it may. */
  uncuttable?: string;
}

/** A switch that is not the lab's own, as its owner has described it. */
export interface OthersSwitch {
  /** Whether it reflects at a node's port (reflective relay of IEEE 802.1Q-2014); left out where nobody knows. */
  hairpin: Partial<Record<NodeName, boolean>>;
  /** VLANs that the nodes' ports carry with a tag; left out where nobody knows. */
  vlans?: readonly number[];
  /** The VLAN of untagged frames there. */
  native?: number;
  /**
   * How it is set, if at all. A bridge is one of Linux, to whose machine `nodes.switch` is a session: its device, and the names of its
   * ports by who is at the other end. A command is called with what it is to do: [...command, "hairpin", "node1", "on"];
   * in a rehearsal, something else is done instead.
   */
  driver?:
    | { bridge: { device: string; ports: Partial<Record<NodeName, string>> } }
    | { command: readonly string[]; instead?: (port: NodeName, on: boolean) => Promise<void> };
}

/** How far a check goes. */
export interface CheckOptions {
  /** Also asks on the wire whether somebody has an address that experiments would use. */
  probe?: boolean;
}

export interface LabDriver {
  readonly name: string;
  /** How many of its labs there can be at a time; any number, when left out. */
  readonly labs?: number;
  /** The network that it makes, where that is not the articles'. */
  readonly topology?: Topology;
  /** Present where its machines are somebody else's. */
  readonly beforehand?: Beforehand;
  /** How many of this machine's processors one of its labs keeps busy; default 1. */
  readonly processors?: number;
  /** What this driver needs on this machine. Changes nothing. */
  check(options?: CheckOptions): Promise<Finding[]>;
  /**
   * Does beforehand what takes long and is the same for every lab, such as fetching a kernel.
   * @returns what there is then, by name: { kernel: "6.12.94 (Debian trixie)" }
   * @throws MacvlabError
   */
  prepare?(): Promise<Record<string, string>>;
  /**
   * Gives the machines.
   * @param wire called once a session with each machine stands, while those with the nodes may still be being opened
   * @throws MacvlabError when something that `check` names is missing, or the machines do not come up; nothing is left then
   */
  open(topology: Topology, wire: (hosts: readonly Host[]) => Promise<void>): Promise<Machines>;
}
