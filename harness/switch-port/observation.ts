/** What was seen at a switch port, without a judgement: counts of frames, and who has answered. */

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
  /** Frames seen leaving the NIC. */
  sent: number;
  /** How many of them came back into the NIC, once or several times. */
  returned: number;
  /** How many frames came back in all. */
  copies: number;
  /** How many copies the child was given that they were for. */
  delivered: number;
  /** What differs between what was sent and what came back: "tag: VLAN 10 sent, none returned". */
  changes: string[];
  /** How many of them arrived at the peer's NIC; undefined without a peer. */
  atPeer?: number;
  /** Why nothing was sent of it: "the host has no IPv6". */
  skipped?: string;
}

/** Whose frames show that a port passes anything. */
export type Asker = 'NIC' | 'child 1' | 'child 2' | 'peer';

/** A question that must be answered: an ARP request, and an echo when that was. */
export interface Control {
  from: Asker;
  to: 'gateway' | 'peer';
  address: string;
  /** `ARP`: that was answered, but no echo; gateways may be told not to. */
  answered: 'echo' | 'ARP' | 'no';
  /** Milliseconds from the request that was answered to the answer. */
  roundTrip?: number;
  /** Requests of its own seen leaving the NIC; undefined for the NIC's own, which are not captured. */
  left?: number;
  /** Answers that came into the NIC, and that the child was not given. */
  withheld?: number;
  /** How many of its broadcasts arrived at the peer's NIC; undefined without a peer. */
  atPeer?: number;
  /** How many of its unicast frames to the one that answers came back, which no switch does that has learned where that is. */
  returned: number;
  /** `direct`: without a broadcast, since the MAC address was known. `promiscuous`: while the NIC took all frames. */
  way: 'usual' | 'direct' | 'promiscuous';
  /** `before` the classes were sent, or `after` them. */
  when: 'before' | 'after';
}

/** What was seen in one VLAN of a port. */
export interface SegmentObservation {
  vlan: number | 'untagged';
  /** Addresses of the children and of the peer's child. */
  addresses: { child1: string; child2: string; peer?: string };
  macs: { nic: string; child1: string; child2: string; unknown: string };
  controls: Control[];
  classes: ClassObservation[];
  /** Spanning tree messages seen (IEEE 802.1D, 9; and Cisco's, per VLAN). */
  bpdus: number;
  /** Milliseconds that nothing was answered for, up to the first answer or until it was given up; 0 when the first question was answered. */
  waited: number;
  /** Whether the NIC had a carrier at the end. */
  carrier: boolean;
  /** What a capture lost, in words; nothing that was not seen means anything then. */
  lost?: string;
  /** Frames that the host sent in this VLAN. */
  frames: number;
  /** Frames of the children's that came into the NIC. */
  received: number;
  /** Milliseconds. */
  duration: number;
}
