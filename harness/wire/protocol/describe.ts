/** A frame as one line, similar to `tcpdump -e`. */
import type { ArpMessage, Frame, IcmpMessage } from './frame.js';

/**
 * The frame's protocol and fields, its MACs last:
 *   `vlan 10 ARP who-has 10.0.0.2 tell 10.0.0.1 (02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff)`
 */
export function describeFrame(frame: Frame): string {
  return [
    ...frame.vlans.map((tag) => `vlan ${tag.id}`),
    describeContent(frame),
    frame.ethernet && `(${frame.ethernet.source} > ${frame.ethernet.destination})`,
    frame.malformed && `[malformed: ${frame.malformed}]`,
  ]
    .filter(Boolean)
    .join(' ');
}

function describeContent(frame: Frame): string {
  if (frame.arp) return describeArp(frame.arp);
  if (frame.ipv4 || frame.ipv6) return describeIp(frame);
  if (!frame.ethernet) return `${frame.captured} bytes`;
  const { type } = frame.ethernet;
  return type <= 1500 ? `802.3 frame of ${type} bytes` : `type 0x${type.toString(16).padStart(4, '0')}`;
}

function describeArp({ operation, senderMac, senderIp, targetIp }: ArpMessage): string {
  if (operation === 'request') return `ARP who-has ${targetIp} tell ${senderIp}`;
  if (operation === 'reply') return `ARP ${senderIp} is-at ${senderMac}`;
  return `ARP ${operation} ${senderIp} > ${targetIp}`;
}

function describeIp(frame: Frame): string {
  const { ipv4, ipv6, icmp } = frame;
  const ip = ipv4 ?? ipv6;
  const ports = frame.udp ?? frame.tcp;
  const [from, to] = [ports?.source, ports?.destination].map((port) => (port === undefined ? '' : ` port ${port}`));
  return [
    upperLayer(frame),
    `${ip?.source}${from} > ${ip?.destination}${to}`,
    icmp && describeIcmp(icmp),
    frame.tcp && describeFlags(frame.tcp.flags),
    fragmentOf(frame),
    ipv4 ? `ttl ${ipv4.ttl}` : `hop limit ${ipv6?.hopLimit}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function upperLayer({ ipv4, ipv6, icmp, udp, tcp }: Frame): string {
  if (icmp) return icmp.version === 4 ? 'ICMP' : 'ICMPv6';
  if (udp) return 'UDP';
  if (tcp) return 'TCP';
  return ipv4 ? `IPv4 protocol ${ipv4.protocol}` : `IPv6 protocol ${ipv6?.nextHeader}`;
}

function describeIcmp(icmp: IcmpMessage): string {
  const { kind, target, linkLayerAddress, groups } = icmp;
  const name = kind === 'other' ? `type ${icmp.type} code ${icmp.code}` : kind;
  const flags = [icmp.router && 'router', icmp.solicited && 'solicited', icmp.override && 'override'];
  return [
    kind === 'unreachable' || kind === 'time exceeded' ? `${name} code ${icmp.code}` : name,
    icmp.identifier !== undefined && `id ${icmp.identifier} seq ${icmp.sequence}`,
    target && `${kind === 'neighbour solicitation' ? 'who-has' : 'of'} ${target}`,
    linkLayerAddress && `${kind === 'neighbour advertisement' ? 'is-at' : 'from'} ${linkLayerAddress}`,
    ...flags,
    groups && `of ${list(groups)}`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** The first few; a listener report may have thousands of groups. */
function list(groups: string[]): string {
  const more = groups.length - 4;
  return groups.slice(0, 4).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** The flags of a TCP segment, from the lowest bit. */
const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

function describeFlags(flags: number): string {
  const set = flagNames.filter((_, bit) => flags & (1 << bit));
  return set.length > 0 ? set.join('+') : 'no flags';
}

function fragmentOf({ ipv4 }: Frame): string {
  if (!ipv4 || (ipv4.fragmentOffset === 0 && !ipv4.moreFragments)) return '';
  return `fragment at ${ipv4.fragmentOffset} of id ${ipv4.identification}`;
}
