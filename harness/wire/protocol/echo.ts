/** The common part of ICMP and ICMPv6 echoes. */
import { uint16 } from './bytes.js';
import type { IcmpMessage } from './frame.js';
import type { Rest } from './rest.js';

/**
 * Stored bytes of an echo's data: enough for a token after ping's 16 bytes of time stamp. V8 stores a typed array of up
 * to 64 bytes within its own heap, which makes the copy fast.
 */
const mostPayload = 64;

/** Adds identifier, sequence number and data; the caller has checked that eight bytes are there. */
export function decodeEcho(message: IcmpMessage, rest: Rest): void {
  const { bytes, at } = rest;
  message.identifier = uint16(bytes, at + 4);
  message.sequence = uint16(bytes, at + 6);
  const length = Math.min(mostPayload, rest.end - at - 8);
  const payload = new Uint8Array(length);
  for (let index = 0; index < length; index++) payload[index] = bytes[at + 8 + index] ?? 0;
  message.payload = payload;
}
