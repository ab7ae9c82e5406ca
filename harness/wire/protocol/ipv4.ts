/** IPv4 (RFC 791), with options and fragments. */
import { formatIpv4 } from './address.js';
import { uint16 } from './bytes.js';
import type { Frame } from './frame.js';
import { decodeIcmp } from './icmp.js';
import { isJumbo, isShort, narrow, onWire } from './rest.js';
import type { Rest } from './rest.js';
import { decodePorts } from './transport.js';

/** Decodes an IPv4 header and its payload; only the first fragment contains a header to decode. */
export function decodeIpv4(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'IPv4', 20, rest)) return;
  const { bytes, at } = rest;
  const first = bytes[at] ?? 0;
  if (first >> 4 !== 4) {
    frame.malformed = `IPv4: version 4 expected, ${first >> 4} seen`;
    return;
  }
  const fragment = uint16(bytes, at + 6);
  const ipv4 = {
    source: formatIpv4(bytes, at + 12),
    destination: formatIpv4(bytes, at + 16),
    ttl: bytes[at + 8] ?? 0,
    protocol: bytes[at + 9] ?? 0,
    identification: uint16(bytes, at + 4),
    fragmentOffset: (fragment & 0x1fff) * 8,
    moreFragments: (fragment & 0x2000) !== 0,
    headerLength: (first & 0xf) * 4,
    totalLength: uint16(bytes, at + 2),
  };
  frame.ipv4 = ipv4;
  const totalLength = ipv4.totalLength === 0 && isJumbo(rest) ? onWire(rest) : ipv4.totalLength;
  if (ipv4.headerLength < 20) {
    frame.malformed = `IPv4: a header of at least 20 bytes expected, ${ipv4.headerLength} stated`;
  } else if (totalLength < ipv4.headerLength) {
    frame.malformed = `IPv4: a total length of at least ${ipv4.headerLength} expected, ${totalLength} stated`;
  } else if (totalLength > onWire(rest)) {
    frame.malformed = `IPv4: ${totalLength} bytes expected, ${onWire(rest)} on the wire`;
  } else if (!isShort(frame, 'IPv4 header', ipv4.headerLength, rest) && ipv4.fragmentOffset === 0) {
    narrow(rest, totalLength);
    rest.at += ipv4.headerLength;
    if (ipv4.protocol === 1) decodeIcmp(frame, rest);
    else decodePorts(frame, ipv4.protocol, rest);
  }
}
