/** Writes pcap: frames for a test, or the frames of a capture. */
import { ethernetLinkType, headerLength, largestSnapLength, magic, recordHeaderLength } from './pcap-format.js';

/** The header of a file of Ethernet frames, little-endian, with times in microseconds. */
export function pcapHeader(): Uint8Array {
  const header = new DataView(new ArrayBuffer(headerLength));
  header.setUint32(0, magic.microseconds, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, largestSnapLength, true);
  header.setUint32(20, ethernetLinkType, true);
  return new Uint8Array(header.buffer);
}

/**
 * One frame with its record header.
 * @param time microseconds since the epoch; a fraction is rounded down
 * @param length bytes on the wire, when that is more than the stored bytes
 */
export function pcapRecord(frame: Uint8Array, time: number, length = frame.length): Uint8Array {
  const record = new Uint8Array(recordHeaderLength + frame.length);
  const header = new DataView(record.buffer);
  const seconds = Math.floor(time / 1e6);
  header.setUint32(0, seconds, true);
  header.setUint32(4, Math.floor(time - seconds * 1e6), true);
  header.setUint32(8, frame.length, true);
  header.setUint32(12, length, true);
  record.set(frame, recordHeaderLength);
  return record;
}
