/**
 * Patterns that frames match or do not match. A pattern names only the relevant fields; all others may have any value.
 * A value that can never match (no address, no VLAN) is refused with a TypeError; otherwise a negative assertion would
 * pass because of a typo.
 */
import { destination, same, sameFlag, sameIp, sameMac, sourceMac, token, vlan } from './protocol/condition.js';
import type { Condition, Destination, Vlan } from './protocol/condition.js';
import type { DestinationClass, Frame, IcmpKind } from './protocol/frame.js';

export type { Destination, Vlan } from './protocol/condition.js';

/** A pattern for frames of any kind. */
export interface FramePattern {
  /** Its text in a failure: "ARP request who-has 10.0.0.2 tell 10.0.0.1". */
  readonly description: string;
  matches(frame: Frame): boolean;
}

/** The required fields of an ARP request. */
export interface ArpRequestQuery {
  /** The target IP. */
  who?: string;
  /** The sender's IP; 0.0.0.0 in a probe (RFC 5227). */
  tell?: string;
  /** Source MAC of the frame. */
  from?: string;
  to?: Destination;
  /** The sender's MAC, inside the message. */
  senderMac?: string;
  vlan?: Vlan;
}

/** An ARP request. */
export function arpRequest(query: ArpRequestQuery = {}): FramePattern {
  return pattern('ARP request', (frame) => frame.arp?.operation === 'request', [
    ...sameIp('who-has', query.who, (frame) => frame.arp?.targetIp),
    ...sameIp('tell', query.tell, (frame) => frame.arp?.senderIp),
    ...sourceMac('from', query.from),
    ...destination('to', query.to),
    ...sameMac('sender', query.senderMac, (frame) => frame.arp?.senderMac),
    ...vlan(query.vlan),
  ]);
}

/** The required fields of an ARP reply. */
export interface ArpReplyQuery {
  /** The sender's IP. */
  from?: string;
  /** The sender's MAC, inside the message. */
  isAt?: string;
  /** The target IP. */
  tell?: string;
  /** Source MAC of the frame. */
  sourceMac?: string;
  to?: Destination;
  vlan?: Vlan;
}

/** An ARP reply. */
export function arpReply(query: ArpReplyQuery = {}): FramePattern {
  return pattern('ARP reply', (frame) => frame.arp?.operation === 'reply', [
    ...sameIp('from', query.from, (frame) => frame.arp?.senderIp),
    ...sameMac('is-at', query.isAt, (frame) => frame.arp?.senderMac),
    ...sameIp('tell', query.tell, (frame) => frame.arp?.targetIp),
    ...sourceMac('source', query.sourceMac),
    ...destination('to', query.to),
    ...vlan(query.vlan),
  ]);
}

/** The required fields of an echo. */
export interface EchoQuery {
  /** Source IP, of either version. */
  from?: string;
  /** Destination IP. */
  to?: string;
  /** Bytes in hex that the echo's data contains, from `ping -p`. */
  token?: string;
  sourceMac?: string;
  destinationMac?: Destination;
  identifier?: number;
  sequence?: number;
  /** TTL, or the hop limit of IPv6. */
  ttl?: number;
  vlan?: Vlan;
}

/** An echo request, ICMP or ICMPv6. */
export function echoRequest(query: EchoQuery = {}): FramePattern {
  return echo('echo request', query);
}

/** An echo reply, ICMP or ICMPv6. */
export function echoReply(query: EchoQuery = {}): FramePattern {
  return echo('echo reply', query);
}

function echo(kind: IcmpKind, query: EchoQuery): FramePattern {
  return pattern(kind, ofKind(kind), [
    ...sameIp('from', query.from, sourceIp),
    ...sameIp('to', query.to, (frame) => (frame.ipv4 ?? frame.ipv6)?.destination),
    ...token(query.token),
    ...same('id', query.identifier, (frame) => frame.icmp?.identifier),
    ...same('seq', query.sequence, (frame) => frame.icmp?.sequence),
    ...same('ttl', query.ttl, (frame) => frame.ipv4?.ttl ?? frame.ipv6?.hopLimit),
    ...sourceMac('source', query.sourceMac),
    ...destination('destination', query.destinationMac),
    ...vlan(query.vlan),
  ]);
}

/** The required fields of a neighbour solicitation. */
export interface NeighbourSolicitationQuery {
  /** The target IP. */
  target?: string;
  /** Source IP; :: in duplicate address detection (RFC 4862). */
  from?: string;
  sourceMac?: string;
  to?: Destination;
  /** The MAC in the source link-layer address option. */
  linkLayerAddress?: string;
  vlan?: Vlan;
}

/** An IPv6 neighbour solicitation. */
export function neighbourSolicitation(query: NeighbourSolicitationQuery = {}): FramePattern {
  return neighbour('neighbour solicitation', query, []);
}

/** The required fields of a neighbour advertisement. */
export interface NeighbourAdvertisementQuery extends NeighbourSolicitationQuery {
  /** The MAC in the target link-layer address option. */
  linkLayerAddress?: string;
  solicited?: boolean;
  override?: boolean;
}

/** An IPv6 neighbour advertisement. */
export function neighbourAdvertisement(query: NeighbourAdvertisementQuery = {}): FramePattern {
  return neighbour('neighbour advertisement', query, [
    ...sameFlag('solicited', query.solicited, (frame) => frame.icmp?.solicited),
    ...sameFlag('override', query.override, (frame) => frame.icmp?.override),
  ]);
}

function neighbour(kind: IcmpKind, query: NeighbourSolicitationQuery, more: Condition[]): FramePattern {
  return pattern(kind, ofKind(kind), [
    ...sameIp(kind === 'neighbour solicitation' ? 'who-has' : 'of', query.target, (frame) => frame.icmp?.target),
    ...sameMac('link-layer address', query.linkLayerAddress, (frame) => frame.icmp?.linkLayerAddress),
    ...sameIp('from', query.from, sourceIp),
    ...sourceMac('source', query.sourceMac),
    ...destination('to', query.to),
    ...more,
    ...vlan(query.vlan),
  ]);
}

/** The required fields of any frame. */
export interface AnyFrameQuery {
  sourceMac?: string;
  destinationMac?: Destination;
  destinationClass?: DestinationClass;
  vlan?: Vlan;
}

/** A frame of any kind; without a query, every frame. */
export function anyFrame(query: AnyFrameQuery = {}): FramePattern {
  return pattern('any frame', () => true, [
    ...sourceMac('from', query.sourceMac),
    ...destination('to', query.destinationMac),
    ...destination('to', query.destinationClass),
    ...vlan(query.vlan),
  ]);
}

/**
 * A frame that one of the patterns matches.
 * @throws TypeError without a pattern, which would never match
 */
export function anyOf(...patterns: FramePattern[]): FramePattern {
  if (patterns.length === 0) throw new TypeError('anyOf needs at least one pattern');
  return {
    description: patterns.map((each) => each.description).join(', or '),
    matches: (frame) => patterns.some((each) => each.matches(frame)),
  };
}

function pattern(title: string, isOfKind: (frame: Frame) => boolean, conditions: Condition[]): FramePattern {
  return {
    description: [title, ...conditions.map(({ words }) => words)].join(' '),
    matches: (frame) => isOfKind(frame) && conditions.every((condition) => condition.holds(frame)),
  };
}

function ofKind(kind: IcmpKind): (frame: Frame) => boolean {
  return (frame) => frame.icmp?.kind === kind;
}

function sourceIp(frame: Frame): string | undefined {
  return (frame.ipv4 ?? frame.ipv6)?.source;
}
