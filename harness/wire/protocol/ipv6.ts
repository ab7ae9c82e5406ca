/** IPv6 (RFC 8200), with its extension headers. */
import { formatIpv6 } from './address.js';
import { uint16 } from './bytes.js';
import type { Frame, Ipv6Header } from './frame.js';
import { decodeIcmpv6 } from './icmpv6.js';
import { isJumbo, isShort, narrow, onWire } from './rest.js';
import type { Rest } from './rest.js';
import { decodePorts } from './transport.js';

/** RFC 8200 section 4.1 has at most seven in a packet. */
const mostExtensions = 16;
const fragment = 44;
const authentication = 51;
/** Extension headers that are skipped, by their protocol number. */
const extensions = new Map([
  [0, 'hop-by-hop options'],
  [43, 'routing header'],
  [fragment, 'fragment header'],
  [authentication, 'authentication header'],
  [60, 'destination options'],
]);

/** Decodes an IPv6 header and its payload; only the first fragment contains a header to decode. */
export function decodeIpv6(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'IPv6', 40, rest)) return;
  const { bytes, at } = rest;
  const version = (bytes[at] ?? 0) >> 4;
  if (version !== 6) {
    frame.malformed = `IPv6: version 6 expected, ${version} seen`;
    return;
  }
  const ipv6: Ipv6Header = {
    source: formatIpv6(bytes, at + 8),
    destination: formatIpv6(bytes, at + 24),
    hopLimit: bytes[at + 7] ?? 0,
    nextHeader: bytes[at + 6] ?? 0,
    payloadLength: uint16(bytes, at + 4),
  };
  frame.ipv6 = ipv6;
  rest.at += 40;
  if (ipv6.payloadLength > onWire(rest)) {
    frame.malformed = `IPv6: ${ipv6.payloadLength} bytes of payload expected, ${onWire(rest)} on the wire`;
    return;
  }
  if (ipv6.payloadLength > 0 || !isJumbo(rest)) narrow(rest, ipv6.payloadLength);
  if (!skipExtensions(frame, ipv6, rest)) return;
  if (ipv6.nextHeader === 58) decodeIcmpv6(frame, rest);
  else decodePorts(frame, ipv6.nextHeader, rest);
}

/** Moves on to the upper layer; false when there is none to decode. */
function skipExtensions(frame: Frame, ipv6: Ipv6Header, rest: Rest): boolean {
  for (let count = 0; ; count++) {
    const header = ipv6.nextHeader;
    const name = extensions.get(header);
    if (name === undefined) return true;
    if (count === mostExtensions) {
      frame.malformed = `IPv6: at most ${mostExtensions} extension headers expected, and there are more`;
      return false;
    }
    const layer = `IPv6 ${name}`;
    if (isShort(frame, layer, 8, rest)) return false;
    const { bytes, at } = rest;
    const length = extensionLength(header, bytes[at + 1] ?? 0);
    if (isShort(frame, layer, length, rest)) return false;
    ipv6.nextHeader = bytes[at] ?? 0;
    rest.at += length;
    if (header === fragment && (uint16(bytes, at + 2) & 0xfff8) !== 0) return false;
  }
}

/** Bytes of an extension header, from its length field. */
function extensionLength(header: number, field: number): number {
  if (header === fragment) return 8;
  return header === authentication ? (field + 2) * 4 : (field + 1) * 8;
}
