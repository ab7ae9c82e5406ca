/** Observations at a switch port, without a judgement: counts of frames, and which requests got a reply. */

/** The classes of frames that a switch may treat differently. */
export const frameClasses = [
  'unicast to a learned address',
  'unicast to an unknown address',
  'broadcast',
  'IPv4 multicast',
  'IPv6 neighbour solicitation',
] as const;
export type FrameClass = (typeof frameClasses)[number];

/** Frames of one class, sent by the first child. */
export interface ClassObservation {
  class: FrameClass;
  /** Frames that left the NIC. */
  sent: number;
  /** How many of them returned to the NIC, once or several times. */
  returned: number;
  /** How many frames returned in total. */
  copies: number;
  /** How many copies the child that they are for received. */
  delivered: number;
  /** Differences between sent and returned frames: "tag: VLAN 10 sent, none returned". */
  changes: string[];
  /** How many of them arrived at the peer's NIC; undefined without a peer. */
  atPeer?: number;
  /** Why no frame of the class was sent: "the host has no IPv6". */
  skipped?: string;
}

/** A sender whose requests show that a port passes frames. */
export type Asker = 'NIC' | 'child 1' | 'child 2' | 'peer';

/** A request that must get a reply: an ARP request, and an echo request after its reply. */
export interface Control {
  from: Asker;
  to: 'gateway' | 'peer';
  address: string;
  /** `ARP`: a reply to the ARP request, but not to the echo request; gateways may be configured so. */
  answered: 'echo' | 'ARP' | 'no';
  /** Milliseconds from the request to its reply. */
  roundTrip?: number;
  /** Requests of its own that left the NIC; undefined for those of the NIC itself, which are not captured. */
  left?: number;
  /** Replies that arrived at the NIC, and not at the child. */
  withheld?: number;
  /** How many of its broadcasts arrived at the peer's NIC; undefined without a peer. */
  atPeer?: number;
  /** How many of its unicast frames to the replying host returned. A switch that has learned the host's port returns none. */
  returned: number;
  /** `direct`: without a broadcast, since the MAC address was known. `promiscuous`: while the NIC accepted all frames. */
  way: 'usual' | 'direct' | 'promiscuous';
  /** `before` the classes were sent, or `after` them. */
  when: 'before' | 'after';
}

/** The observations in one VLAN of a port. */
export interface SegmentObservation {
  vlan: number | 'untagged';
  /** Addresses of the children and of the peer's child. */
  addresses: { child1: string; child2: string; peer?: string };
  macs: { nic: string; child1: string; child2: string; unknown: string };
  controls: Control[];
  classes: ClassObservation[];
  /** Spanning tree messages seen (IEEE 802.1D, 9; and Cisco's, per VLAN). */
  bpdus: number;
  /** Milliseconds without a reply, up to the first reply or the timeout; 0 if the first request got a reply. */
  waited: number;
  /** Whether the NIC had a carrier at the end. */
  carrier: boolean;
  /** The losses of a capture, as text; then a missing frame means nothing. */
  lost?: string;
  /** Frames that the host sent in this VLAN. */
  frames: number;
  /** Frames of the children that entered the NIC. */
  received: number;
  /** Milliseconds. */
  duration: number;
}
