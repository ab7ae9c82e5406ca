/** ICMP (RFC 792). */
import { formatIpv4 } from './address.js';
import { decodeEcho } from './echo.js';
import type { Frame, IcmpKind, IcmpMessage } from './frame.js';
import { isShort } from './rest.js';
import type { Rest } from './rest.js';

const kinds = new Map<number, IcmpKind>([
  [0, 'echo reply'],
  [3, 'unreachable'],
  [5, 'redirect'],
  [8, 'echo request'],
  [9, 'router advertisement'],
  [10, 'router solicitation'],
  [11, 'time exceeded'],
]);

/** Decodes an ICMP message, without the datagram that an error quotes. */
export function decodeIcmp(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'ICMP', 8, rest)) return;
  const { bytes, at } = rest;
  const type = bytes[at] ?? 0;
  const message: IcmpMessage = { version: 4, type, code: bytes[at + 1] ?? 0, kind: kinds.get(type) ?? 'other' };
  frame.icmp = message;
  if (type === 8 || type === 0) decodeEcho(message, rest);
  else if (type === 5) message.target = formatIpv4(bytes, at + 4);
}
