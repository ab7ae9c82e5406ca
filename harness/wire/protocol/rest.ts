/** The undecoded rest of a frame, which each layer passes to the next one, and how a layer reports malformed bytes. */
import type { Frame } from './frame.js';

/** A range of bytes to decode. Layers advance `at`, and reduce `end` to the value of their length field. */
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
 * Whether a length field of 0 is correct, because the packet is too long for it. It is a jumbogram (RFC 2675), or a
 * segment of more than 64 KiB before the NIC divides it (Linux: iph_set_totlen in linux/ip.h).
 */
export function isJumbo(rest: Rest): boolean {
  return onWire(rest) > 0xffff;
}

/** Removes all after the first `length` bytes, such as the padding of a short Ethernet frame. */
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
