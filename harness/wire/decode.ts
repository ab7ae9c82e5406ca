/** From the bytes of an Ethernet frame to what they say. */
import { decodeEthernet } from './ethernet.js';
import type { Frame } from './frame.js';

/**
 * Decodes one frame. Any bytes at all give a frame, never an exception: what makes no sense is said in `malformed`.
 * A frame that the snapshot length cut after its headers is not malformed. Checksums are not looked at: a frame
 * captured where it is sent has none yet when the NIC is to fill them in.
 *
 * The frame keeps no reference to `bytes`.
 * @param time microseconds since the epoch
 * @param length bytes on the wire, when that is more than was captured
 * @param start where the frame begins and ends within `bytes`, so that a reader need not cut it out
 */
export function decodeFrame(
  bytes: Uint8Array,
  time: number,
  length = bytes.length,
  start = 0,
  end = bytes.length,
): Frame {
  const captured = end - start;
  // Some writers leave the length on the wire 0; less than was captured cannot have been.
  const frame: Frame = { time, length: Math.max(length, captured), captured, vlans: [] };
  decodeEthernet(frame, { bytes, at: start, end, cut: frame.length - captured });
  return frame;
}
