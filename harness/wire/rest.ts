/** What a layer of a frame leaves for the next one, and how a layer says that its bytes make no sense. */
import type { Frame } from './frame.js';

/** A stretch of bytes yet to be decoded; layers move `at` on, and narrow `end` to what their length field says. */
export interface Rest {
  readonly bytes: Uint8Array;
  at: number;
  /** Where the captured bytes end. */
  end: number;
  /** How many more bytes were on the wire, but were not captured. */
  cut: number;
}

/** How many bytes were captured. */
export function captured(rest: Rest): number {
  return rest.end - rest.at;
}

/** How many bytes were on the wire. */
export function onWire(rest: Rest): number {
  return rest.end - rest.at + rest.cut;
}

/**
 * Whether a length field of 0 is right, since the packet is too long for it: a jumbogram (RFC 2675), or a segment of
 * more than 64 KiB seen before the NIC cuts it up (Linux: iph_set_totlen in linux/ip.h).
 */
export function isJumbo(rest: Rest): boolean {
  return onWire(rest) > 0xffff;
}

/** Leaves away what comes after so many bytes, such as the padding of a short Ethernet frame. */
export function narrow(rest: Rest, length: number): void {
  const wireEnd = rest.at + length;
  rest.cut = Math.max(0, wireEnd - rest.end);
  rest.end = Math.min(rest.end, wireEnd);
}

/** True, and the frame is marked malformed, when fewer bytes were captured than the layer needs. */
export function isShort(frame: Frame, layer: string, expected: number, rest: Rest): boolean {
  const have = rest.end - rest.at;
  if (have >= expected) return false;
  frame.malformed = `${layer}: ${expected} bytes expected, ${Math.max(0, have)} captured`;
  return true;
}
