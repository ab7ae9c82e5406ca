/**
 * Encodes the blocks of a pcapng file (draft-ietf-opsawg-pcapng; the comments below name its sections). All blocks are little-endian.
 * libpcap knows one link type and one snapshot length per file, so all interfaces have the same ones.
 */
import { parseIp, parseMac } from '../protocol/address.js';
import { join } from '../protocol/encode.js';
import type { Direction } from '../capture.js';
import { ethernetLinkType, largestSnapLength } from './pcap-format.js';

/** Types of blocks (section 4). */
const blockType = {
  section: 0x0a0d0d0a,
  interface: 1,
  names: 4,
  statistics: 5,
  packet: 6,
} as const;

/** The value of an option, and of a name record, has a length of 16 bits. */
const longestValue = 0xffff;

/** What a file is about. */
export interface SectionText {
  comments?: readonly string[];
  hardware?: string;
  os?: string;
  application?: string;
}

/** A capture point, or one direction of it. */
export interface CaptureInterface {
  /** "switch/node1 in" */
  name: string;
  description?: string;
  mac?: string;
  /** In CIDR form. */
  addresses?: readonly string[];
  /** In the syntax of pcap-filter(7). */
  filter?: string;
  /** Kernel of the capturing machine. */
  os?: string;
}

/** A frame of a file. */
export interface CapturePacket {
  /** Position of its interface's block among those of the file, from 0. */
  interfaceId: number;
  /** Microseconds since the epoch; fractions are kept to the nanosecond. */
  time: number;
  bytes: Uint8Array;
  /** Bytes on the wire, when that is more than the stored bytes. */
  length?: number;
  direction?: Direction | undefined;
  /** The same for the same frame at each interface. */
  packetId?: number;
  comments?: readonly string[];
}

/** Counters of an interface. */
export interface CaptureStatistics {
  interfaceId: number;
  /** Microseconds since the epoch. */
  time: number;
  /** Frames that the interface received, as far as the capture's socket saw them. */
  received?: number;
  /** Frames that the interface dropped. */
  dropped?: number;
  /** Frames that the filter accepted. */
  accepted?: number;
  /** Frames that the kernel dropped because the capture was too slow. */
  osDropped?: number;
  /** Frames that were delivered to the file. */
  delivered?: number;
  comments?: readonly string[];
}

/** Section Header Block (section 4.1): the beginning of a file. Its length is open, because the file may be a stream. */
export function sectionHeader({ comments = [], hardware, os, application }: SectionText): Uint8Array {
  const fixed = new DataView(new ArrayBuffer(16));
  fixed.setUint32(0, 0x1a2b3c4d, true);
  fixed.setUint16(4, 1, true);
  fixed.setBigInt64(8, -1n, true);
  const texts = [text(2, hardware), text(3, os), text(4, application)];
  return block(blockType.section, bytesOf(fixed), ...comments.map((each) => text(1, each)), ...texts);
}

/**
 * Interface Description Block (section 4.2), with times in nanoseconds.
 * @throws TypeError when an address is not one
 */
export function interfaceDescription(about: CaptureInterface): Uint8Array {
  const { name, description, mac, addresses = [], filter, os } = about;
  const fixed = new DataView(new ArrayBuffer(8));
  fixed.setUint16(0, ethernetLinkType, true);
  fixed.setUint32(4, largestSnapLength, true);
  return block(
    blockType.interface,
    bytesOf(fixed),
    text(2, name),
    text(3, description),
    ...addresses.map(addressOption),
    mac === undefined ? none : option(6, parseMac(mac)),
    option(9, Uint8Array.of(9)),
    // 0: the filter is a string in libpcap's syntax.
    filter === undefined ? none : option(11, join(Uint8Array.of(0), utf8(filter, longestValue - 1))),
    text(12, os),
  );
}

/** Enhanced Packet Block (section 4.3). */
export function enhancedPacket(packet: CapturePacket): Uint8Array {
  const { interfaceId, time, bytes, length = bytes.length, direction, packetId, comments = [] } = packet;
  const fixed = new DataView(new ArrayBuffer(20));
  fixed.setUint32(0, interfaceId, true);
  setTime(fixed, 4, time);
  fixed.setUint32(12, bytes.length, true);
  fixed.setUint32(16, length, true);
  return block(
    blockType.packet,
    join(bytesOf(fixed), padded(bytes)),
    // Bits 0 and 1 of epb_flags: 1 is inbound, 2 is outbound.
    direction === undefined ? none : option(2, integer(4, direction === 'in' ? 1 : 2)),
    packetId === undefined ? none : option(5, integer(8, packetId)),
    ...comments.map((each) => text(1, each)),
  );
}

/**
 * Name Resolution Block (section 4.5): names of IP addresses and of MACs. Readers skip records that they do not know.
 * @param names each an address and its name
 * @throws TypeError when an address is not one
 */
export function nameResolution(names: Iterable<readonly [address: string, name: string]>): Uint8Array {
  const records = [...names].map(([address, name]) => {
    const isMac = /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(address);
    const bytes = isMac ? parseMac(address) : parseIp(address);
    // A zero ends a name.
    const ended = join(utf8(name.replaceAll('\0', '\ufffd'), longestValue - bytes.length - 1), Uint8Array.of(0));
    return option(isMac ? 3 : bytes.length === 4 ? 1 : 2, join(bytes, ended));
  });
  return block(blockType.names, join(...records, new Uint8Array(4)));
}

/** Interface Statistics Block (section 4.6). */
export function interfaceStatistics(about: CaptureStatistics): Uint8Array {
  const { interfaceId, time, received, dropped, accepted, osDropped, delivered, comments = [] } = about;
  const fixed = new DataView(new ArrayBuffer(12));
  fixed.setUint32(0, interfaceId, true);
  setTime(fixed, 4, time);
  const counters = [received, dropped, accepted, osDropped, delivered];
  return block(
    blockType.statistics,
    bytesOf(fixed),
    ...counters.map((count, index) => (count === undefined ? none : option(4 + index, integer(8, count)))),
    ...comments.map((each) => text(1, each)),
  );
}

const none = new Uint8Array(0);

/** A block: type, length, content, options with their end, and the length again. */
function block(type: number, content: Uint8Array, ...options: Uint8Array[]): Uint8Array {
  const written = options.filter(({ length }) => length > 0);
  const end = written.length > 0 ? new Uint8Array(4) : none;
  const length = integer(4, 12 + [content, ...written, end].reduce((sum, part) => sum + part.length, 0));
  return join(integer(4, type), length, content, ...written, end, length);
}

/** An option (section 3.5), or a name record: code, length, and a value that is padded to 32 bits. */
function option(code: number, value: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4));
  head.setUint16(0, code, true);
  head.setUint16(2, value.length, true);
  return join(bytesOf(head), padded(value));
}

/** An option of text; nothing without text. */
function text(code: number, value: string | undefined): Uint8Array {
  return value ? option(code, utf8(value, longestValue)) : none;
}

function addressOption(cidr: string): Uint8Array {
  const [address = '', prefix] = cidr.split('/');
  const bytes = parseIp(address);
  const bits = prefix === undefined ? bytes.length * 8 : Number(prefix);
  if (bytes.length === 16) return option(5, join(bytes, Uint8Array.of(bits)));
  const mask = Uint8Array.from(bytes, (_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - 8 * index))));
  return option(4, join(bytes, mask));
}

/** UTF-8, with at most so many bytes: a longer text ends with an ellipsis, and never within a character. */
function utf8(value: string, most: number): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  if (bytes.length <= most) return bytes;
  const ellipsis = new TextEncoder().encode('…');
  let end = most - ellipsis.length;
  // 10xxxxxx: a byte within a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return join(bytes.subarray(0, end), ellipsis);
}

function padded(value: Uint8Array): Uint8Array {
  return value.length % 4 === 0 ? value : join(value, new Uint8Array(4 - (value.length % 4)));
}

function integer(size: 4 | 8, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, value >>> 0, true);
  if (size === 8) view.setUint32(4, Math.floor(value / 2 ** 32), true);
  return bytesOf(view);
}

/** Nanoseconds since the epoch. A double has no room for them, so that they are counted from whole microseconds. */
function setTime(view: DataView, at: number, time: number): void {
  const whole = Math.floor(time);
  const nanoseconds = BigInt(whole) * 1000n + BigInt(Math.floor((time - whole) * 1000));
  view.setUint32(at, Number(nanoseconds >> 32n), true);
  view.setUint32(at + 4, Number(nanoseconds & 0xffffffffn), true);
}

function bytesOf({ buffer }: DataView): Uint8Array {
  return new Uint8Array(buffer);
}
