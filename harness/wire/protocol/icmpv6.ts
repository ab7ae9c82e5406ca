/** ICMPv6 (RFC 4443) with neighbour discovery (RFC 4861) and multicast listener reports (RFC 2710, RFC 3810). */
import { formatIpv6, formatMac } from './address.js';
import { uint16 } from './bytes.js';
import { decodeEcho } from './echo.js';
import type { Frame, IcmpKind, IcmpMessage } from './frame.js';
import { captured, isShort, onWire } from './rest.js';
import type { Rest } from './rest.js';

/** The properties of a message type. */
interface Shape {
  kind: IcmpKind;
  /** Bytes of the message before its options or data. */
  header: number;
  /** Whether neighbour discovery options follow. */
  options?: true;
}

const shapes = new Map<number, Shape>([
  [1, { kind: 'unreachable', header: 8 }],
  [3, { kind: 'time exceeded', header: 8 }],
  [128, { kind: 'echo request', header: 8 }],
  [129, { kind: 'echo reply', header: 8 }],
  [131, { kind: 'multicast listener report', header: 24 }],
  [133, { kind: 'router solicitation', header: 8, options: true }],
  [134, { kind: 'router advertisement', header: 16, options: true }],
  [135, { kind: 'neighbour solicitation', header: 24, options: true }],
  [136, { kind: 'neighbour advertisement', header: 24, options: true }],
  [137, { kind: 'redirect', header: 40, options: true }],
  [143, { kind: 'multicast listener report', header: 8 }],
]);
const unknown: Shape = { kind: 'other', header: 4 };

/** Decodes an ICMPv6 message, without the packet that an error quotes. */
export function decodeIcmpv6(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'ICMPv6', 4, rest)) return;
  const { bytes, at } = rest;
  const type = bytes[at] ?? 0;
  const { kind, header, options } = shapes.get(type) ?? unknown;
  const message: IcmpMessage = { version: 6, type, code: bytes[at + 1] ?? 0, kind };
  frame.icmp = message;
  if (isShort(frame, `ICMPv6 ${kind}`, header, rest)) return;
  if (type === 128 || type === 129) decodeEcho(message, rest);
  else if (type === 131) message.groups = [formatIpv6(bytes, at + 8)];
  else if (type >= 135 && type <= 137) message.target = formatIpv6(bytes, at + 8);
  if (type === 136) decodeFlags(message, bytes[at + 4] ?? 0);
  rest.at += header;
  if (options) decodeOptions(frame, message, rest);
  else if (type === 143) decodeRecords(frame, message, uint16(bytes, at + 6), rest);
}

/** RFC 4861 section 4.4. */
function decodeFlags(message: IcmpMessage, flags: number): void {
  message.router = (flags & 0x80) !== 0;
  message.solicited = (flags & 0x40) !== 0;
  message.override = (flags & 0x20) !== 0;
}

/** RFC 4861 section 4.6; options of length zero would never end, so that such a packet must be discarded. */
function decodeOptions(frame: Frame, message: IcmpMessage, rest: Rest): void {
  while (onWire(rest) > 0) {
    if (isShort(frame, 'ICMPv6 option', 2, rest)) return;
    const type = rest.bytes[rest.at] ?? 0;
    const length = (rest.bytes[rest.at + 1] ?? 0) * 8;
    const isLinkLayerAddress = type === 1 || type === 2;
    if (length === 0) {
      frame.malformed = `ICMPv6 option ${type}: at least 8 bytes expected, a length of 0 stated`;
      return;
    }
    if (length > captured(rest)) {
      // The snapshot length may cut the packet that a redirect quotes; it is not needed.
      if (isLinkLayerAddress || length > onWire(rest)) isShort(frame, `ICMPv6 option ${type}`, length, rest);
      return;
    }
    if (isLinkLayerAddress && length === 8) message.linkLayerAddress = formatMac(rest.bytes, rest.at + 2);
    rest.at += length;
  }
}

/** The address records of an MLDv2 report (RFC 3810 section 5.2). */
function decodeRecords(frame: Frame, message: IcmpMessage, count: number, rest: Rest): void {
  message.groups = [];
  for (let index = 0; index < count; index++) {
    if (isShort(frame, 'ICMPv6 multicast address record', 20, rest)) return;
    const { bytes, at } = rest;
    message.groups.push(formatIpv6(bytes, at + 4));
    rest.at += 20 + 16 * uint16(bytes, at + 2) + 4 * (bytes[at + 1] ?? 0);
  }
}
