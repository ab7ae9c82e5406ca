/** The header of a pcap file: its fields, and the reasons to refuse a file. */
import { PcapError, ethernetLinkType, magic } from './pcap-format.js';

/** The properties of all frames in a file. */
export interface PcapHeader {
  version: string;
  linkType: number;
  /** The largest number of stored bytes of a frame. */
  snapLength: number;
  /** Times are in nanoseconds, not microseconds. */
  nanoseconds: boolean;
  bigEndian: boolean;
}

/** Link types that users are likely to meet, by number (tcpdump.org/linktypes.html). */
const linkTypes = new Map([
  [0, 'BSD loopback'],
  [101, 'raw IP'],
  [113, 'Linux cooked, as `tcpdump -i any` writes'],
  [127, 'radiotap'],
  [276, 'Linux cooked version 2, as `tcpdump -i any` writes'],
]);

/**
 * Reads the header at the beginning of these bytes, of which there are at least 24.
 * @throws PcapError when it is another format or link type
 */
export function readPcapHeader(bytes: DataView): PcapHeader {
  const first = bytes.getUint32(0);
  const firstReversed = bytes.getUint32(0, true);
  const bigEndian = isMagic(first);
  if (!bigEndian && !isMagic(firstReversed)) throw new PcapError(`a pcap file expected, but this is ${guess(bytes)}`);
  // The upper half describes the frame check sequence, and is not part of the link type.
  const linkType = bytes.getUint32(20, !bigEndian) & 0xffff;
  if (linkType !== ethernetLinkType) {
    const name = linkTypes.get(linkType);
    throw new PcapError(`Ethernet frames expected, but this file has link type ${linkType}${name ? ` (${name})` : ''}`);
  }
  return {
    version: `${bytes.getUint16(4, !bigEndian)}.${bytes.getUint16(6, !bigEndian)}`,
    linkType,
    snapLength: bytes.getUint32(16, !bigEndian),
    nanoseconds: (bigEndian ? first : firstReversed) === magic.nanoseconds,
    bigEndian,
  };
}

function isMagic(value: number): boolean {
  return value === magic.microseconds || value === magic.nanoseconds;
}

/** Describes a file that is not a pcap, by its first bytes. */
function guess(bytes: DataView): string {
  const seen = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.byteLength));
  const start = seen.toString('hex');
  if (start.startsWith('0a0d0d0a')) return 'a pcapng file; convert it with `tcpdump -r in -w out`';
  if (start.startsWith('1f8b')) return 'a gzip file; unpack it first';
  if (start.startsWith('28b52ffd')) return 'a zstd file; unpack it first';
  if (start.startsWith('a1b2cd34') || start.startsWith('34cdb2a1')) {
    return "a pcap of Kuznetzov's variant; convert it with `tcpdump -r in -w out`";
  }
  if (seen.every((byte) => byte >= 0x20 && byte < 0x7f)) return `text that begins "${seen.toString('latin1')}"`;
  return `a file that begins with the bytes ${start.replace(/..(?=.)/g, '$& ')}`;
}
