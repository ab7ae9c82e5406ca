/** External hosts, and the external switch between them. */

import type { NodeName } from './topology.js';

/** The facts and limits of hosts and a switch that the lab does not own. */
export interface ExternalEnvironment {
  /** The nodes that are a host's own network stack; all others are namespaces of the lab. */
  own: readonly NodeName[];
  /** The hosts' addresses by their names in the inventory: { node1: "ops@10.0.0.11" }; absent in a dry run. */
  hosts?: Readonly<Record<string, string>>;
  switch: ExternalSwitch;
  /** Networks in CIDR form whose addresses the lab may use; absent if it may use any. */
  addresses?: readonly string[];
  /** Networks in CIDR form that a host needs for another purpose, and the purpose: "node1 is reached over SSH from there". */
  taken: readonly { network: string; by: string }[];
  /** The first four bytes of the MAC addresses of all interfaces that the lab creates on the hosts: "02:6d:1a:2b". */
  macRange: string;
  /** Set in a dry run: no other host is on the link. */
  alone?: true;
  /**
   * By node: why no command may block the host's frames. The host's NIC carries macvlab's SSH session, so macvlab could
   * not undo the command. Absent for a node whose frames may be blocked.
   */
  sessions: Partial<Record<NodeName, string>>;
  /** Why node1's uplink must stay up and keep its address; absent if it may be changed. */
  uncuttable?: string;
}
/** A switch that the lab does not own, as the inventory describes it. */
export interface ExternalSwitch {
  /** Whether it reflects frames at a node's port (reflective relay of IEEE 802.1Q-2014); absent if unknown. */
  hairpin: Partial<Record<NodeName, boolean>>;
  /** VLANs that the nodes' ports carry with a tag; absent if unknown. */
  vlans?: readonly number[];
  /** The VLAN of untagged frames on these ports. */
  native?: number;
  /**
   * How macvlab configures it; absent if it cannot. `bridge` is a Linux bridge, and `nodes.switch` is a session with
   * its machine. It has the bridge device, and the port names by the node at the other end. `command` is the owner's
   * command. macvlab runs it with its task: [...command, "hairpin", "node1", "on"]. A dry run calls `instead`.
   */
  driver?:
    | { bridge: { device: string; ports: Partial<Record<NodeName, string>> } }
    | { command: readonly string[]; instead?: (port: NodeName, on: boolean) => Promise<void> };
}
