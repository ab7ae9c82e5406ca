/** The ports of UDP (RFC 768) and TCP (RFC 9293), without their payload. */
import { uint16 } from './bytes.js';
import type { Frame } from './frame.js';
import { isShort } from './rest.js';
import type { Rest } from './rest.js';

/** Decodes the ports if the IP protocol is one of the two, and ignores any other. */
export function decodePorts(frame: Frame, protocol: number, rest: Rest): void {
  if (protocol === 17) decodeUdp(frame, rest);
  else if (protocol === 6) decodeTcp(frame, rest);
}

function decodeUdp(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'UDP', 8, rest)) return;
  frame.udp = { source: uint16(rest.bytes, rest.at), destination: uint16(rest.bytes, rest.at + 2) };
}

function decodeTcp(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'TCP', 20, rest)) return;
  const { bytes, at } = rest;
  frame.tcp = { source: uint16(bytes, at), destination: uint16(bytes, at + 2), flags: bytes[at + 13] ?? 0 };
}
