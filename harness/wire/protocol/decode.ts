/** Decodes the bytes of an Ethernet frame. */
import { decodeEthernet } from './ethernet.js';
import type { Frame } from './frame.js';

/**
 * Decodes one frame. Any bytes give a frame, never an exception: `malformed` describes what cannot be decoded. A frame
 * that the snapshot length cut after its headers is not malformed. Checksums are not checked: a frame captured at its
 * sender has none yet if the NIC computes them.
 *
 * The frame keeps no reference to `bytes`.
 * @param time microseconds since the epoch
 * @param length bytes on the wire, when that is more than was captured
 * @param start where the frame begins and ends within `bytes`, so that a reader need not copy it
 */
export function decodeFrame(
  bytes: Uint8Array,
  time: number,
  length = bytes.length,
  start = 0,
  end = bytes.length,
): Frame {
  const captured = end - start;
  // Some writers leave the length on the wire 0; it cannot be less than the captured length.
  const frame: Frame = { time, length: Math.max(length, captured), captured, vlans: [] };
  decodeEthernet(frame, { bytes, at: start, end, cut: frame.length - captured });
  return frame;
}
