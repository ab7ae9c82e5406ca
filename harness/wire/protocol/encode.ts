/** Builds frames for tests: each function encodes one layer as bytes. */
import { parseIp, parseMac } from './address.js';

/** Concatenates the parts; a string is hex, spaces allowed. */
export function join(...parts: (Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : part)),
    ),
  );
}

/** A number in network byte order. */
export function number(value: number, bytes: 1 | 2 | 4): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (value >>> (8 * (bytes - 1 - index))) & 0xff);
}

/** An Ethernet header. */
export interface EthernetSample {
  source?: string;
  destination?: string;
  /** Each a tag's ethertype and its control field (priority, drop eligibility, id). */
  tags?: [protocol: number, control: number][];
  type: number;
}

/** A whole frame, without padding. */
export function ethernet(header: EthernetSample, payload: Uint8Array): Uint8Array {
  const { source = '02:00:00:00:00:01', destination = '02:00:00:00:00:02', tags = [], type } = header;
  const tagBytes = tags.map(([protocol, control]) => join(number(protocol, 2), number(control, 2)));
  return join(parseMac(destination), parseMac(source), ...tagBytes, number(type, 2), payload);
}

/** An ARP message; operation 1 is a request and 2 a reply. */
export function arp(
  operation: number,
  [senderMac, senderIp]: [string, string],
  [targetMac, targetIp]: [string, string],
): Uint8Array {
  return join(
    '0001 0800 0604',
    number(operation, 2),
    ...[parseMac(senderMac), parseIp(senderIp), parseMac(targetMac), parseIp(targetIp)],
  );
}

/** An IPv4 header. */
export interface Ipv4Sample {
  source?: string;
  destination?: string;
  ttl?: number;
  protocol: number;
  identification?: number;
  /** The header's field: flags, and the offset in units of eight bytes. */
  fragment?: number;
  /** In hex; a multiple of four bytes. */
  options?: string;
}

/** An IPv4 packet. */
export function ipv4(header: Ipv4Sample, payload: Uint8Array): Uint8Array {
  const { source = '10.0.0.1', destination = '10.0.0.2', options = '' } = header;
  const headerLength = 20 + join(options).length;
  const bytes = join(
    number(0x40 | (headerLength / 4), 1),
    '00',
    number(headerLength + payload.length, 2),
    number(header.identification ?? 1, 2),
    number(header.fragment ?? 0, 2),
    number(header.ttl ?? 64, 1),
    number(header.protocol, 1),
    '0000',
    ...[parseIp(source), parseIp(destination), options],
  );
  bytes.set(number(checksum(bytes), 2), 10);
  return join(bytes, payload);
}

/** An ICMP message with its checksum; `rest` begins after the checksum. */
export function icmp(type: number, code: number, rest: Uint8Array): Uint8Array {
  const bytes = join(number(type, 1), number(code, 1), '0000', rest);
  bytes.set(number(checksum(bytes), 2), 2);
  return bytes;
}

/** The bytes after the checksum in an echo. */
export function echo(identifier: number, sequence: number, data: Uint8Array): Uint8Array {
  return join(number(identifier, 2), number(sequence, 2), data);
}

/** An IPv6 header. */
export interface Ipv6Sample {
  source?: string;
  destination?: string;
  hopLimit?: number;
  /** Of the first header after this one. */
  nextHeader: number;
}

/** An IPv6 packet; extension headers are part of the payload. */
export function ipv6(header: Ipv6Sample, payload: Uint8Array): Uint8Array {
  const { source = 'fe80::1', destination = 'fe80::2', hopLimit = 255 } = header;
  return join(
    '60000000',
    ...[number(payload.length, 2), number(header.nextHeader, 1), number(hopLimit, 1)],
    ...[parseIp(source), parseIp(destination), payload],
  );
}

/** An ICMPv6 message with the checksum 0, as at a sender whose NIC computes it. */
export function icmpv6(type: number, code: number, rest: Uint8Array): Uint8Array {
  return join(number(type, 1), number(code, 1), '0000', rest);
}

/** A source (1) or target (2) link-layer address option. */
export function linkLayerOption(type: 1 | 2, mac: string): Uint8Array {
  return join(number(type, 1), '01', parseMac(mac));
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
