/** The decoded fields of a captured frame. Each address is text in one canonical form. */

/** One frame; a missing or undecodable layer is absent. */
export interface Frame {
  /**
   * Microseconds since the epoch, by the clock of the capturing machine. There is a fraction where the file has
   * nanoseconds (a double represents current times to a quarter of a microsecond).
   */
  time: number;
  /** Bytes on the wire. */
  length: number;
  /** Bytes captured; fewer than `length` when the capture's snapshot length cut the frame. */
  captured: number;
  /** `type` is the innermost ethertype, after all tags; a value up to 1500 is an 802.3 length (STP and the like). */
  ethernet?: { destination: string; source: string; type: number };
  /** Outermost first. */
  vlans: VlanTag[];
  arp?: ArpMessage;
  ipv4?: Ipv4Header;
  ipv6?: Ipv6Header;
  /** ICMP or ICMPv6. */
  icmp?: IcmpMessage;
  udp?: { source: number; destination: number };
  /** `flags` is the header's byte 13: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  tcp?: { source: number; destination: number; flags: number };
  /** Why the frame could not be decoded further; the other fields contain what was decoded before. */
  malformed?: string;
}

/** An 802.1Q or 802.1ad tag. */
export interface VlanTag {
  /** The tag's own ethertype: 0x8100, 0x88a8 or 0x9100. */
  protocol: number;
  /** 0 to 4095; 0 is a priority tag, which names no VLAN. */
  id: number;
  /** 0 to 7. */
  priority: number;
  dropEligible: boolean;
}

/** ARP for IPv4 over Ethernet (RFC 826). */
export interface ArpMessage {
  operation: 'request' | 'reply' | `operation ${number}`;
  senderMac: string;
  senderIp: string;
  targetMac: string;
  targetIp: string;
}

/** The IPv4 header (RFC 791). */
export interface Ipv4Header {
  source: string;
  destination: string;
  ttl: number;
  protocol: number;
  identification: number;
  /** Bytes (the header counts in units of eight). */
  fragmentOffset: number;
  moreFragments: boolean;
  /** Bytes, options included. */
  headerLength: number;
  /** Bytes, header included; 0 for a captured segment that is too long for the field (TCP segmentation offload). */
  totalLength: number;
}

/** The IPv6 header (RFC 8200). */
export interface Ipv6Header {
  /** RFC 5952 form, for all IPv6 addresses of a frame. */
  source: string;
  destination: string;
  hopLimit: number;
  /** The upper-layer protocol, after extension headers. */
  nextHeader: number;
  /** Bytes, from the header; 0 in a jumbogram. */
  payloadLength: number;
}

/** The common kinds of the types of both versions. */
export type IcmpKind =
  | 'echo request'
  | 'echo reply'
  | 'unreachable'
  | 'time exceeded'
  | 'redirect'
  | 'neighbour solicitation'
  | 'neighbour advertisement'
  | 'router solicitation'
  | 'router advertisement'
  | 'multicast listener report'
  | 'other';

/** An ICMP (RFC 792) or ICMPv6 (RFC 4443, 4861, 2710, 3810) message. */
export interface IcmpMessage {
  version: 4 | 6;
  type: number;
  code: number;
  kind: IcmpKind;
  /** Of an echo. */
  identifier?: number;
  /** Of an echo. */
  sequence?: number;
  /** The first bytes of an echo's data, 64 at most. */
  payload?: Uint8Array;
  /** The target address of a solicitation, an advertisement or a redirect; of an ICMPv4 redirect, the gateway. */
  target?: string;
  /** The MAC in the source or target link-layer address option. */
  linkLayerAddress?: string;
  /** Flags of a neighbour advertisement. */
  solicited?: boolean;
  override?: boolean;
  router?: boolean;
  /** The multicast groups in a listener report. */
  groups?: string[];
}

/** The class of a frame's destination. */
export type DestinationClass = 'unicast' | 'broadcast' | 'multicast';

/** The class of a destination MAC; broadcast does not count as multicast. */
export function destinationClass(mac: string): DestinationClass {
  if (mac.toLowerCase() === 'ff:ff:ff:ff:ff:ff') return 'broadcast';
  // The group bit is the lowest of the first byte (IEEE Std 802, 8.2.2).
  return Number.parseInt(mac.slice(0, 2), 16) & 1 ? 'multicast' : 'unicast';
}

/** Replaces the IP addresses of a frame. */
export function translateAddresses({ arp, ipv4, ipv6, icmp }: Frame, other: (address: string) => string): void {
  if (arp) Object.assign(arp, { senderIp: other(arp.senderIp), targetIp: other(arp.targetIp) });
  for (const header of [ipv4, ipv6])
    if (header) Object.assign(header, { source: other(header.source), destination: other(header.destination) });
  if (icmp?.target !== undefined) icmp.target = other(icmp.target);
}
