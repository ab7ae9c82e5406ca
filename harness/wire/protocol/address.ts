/** Converts addresses between bytes and text. The text is canonical, so that equal addresses are equal strings. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { uint16 } from './bytes.js';

const decimal = Array.from({ length: 256 }, (_, value) => String(value));
const hex = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** The MAC at this place, as aa:bb:cc:dd:ee:ff. */
export function formatMac(bytes: Uint8Array, at: number): string {
  const part = (index: number): string => hex[bytes[at + index] ?? 0] ?? '';
  return `${part(0)}:${part(1)}:${part(2)}:${part(3)}:${part(4)}:${part(5)}`;
}

/** The IPv4 address at this place, in dotted decimals. */
export function formatIpv4(bytes: Uint8Array, at: number): string {
  const part = (index: number): string => decimal[bytes[at + index] ?? 0] ?? '';
  return `${part(0)}.${part(1)}.${part(2)}.${part(3)}`;
}

/** The IPv6 address at this place, in the form of RFC 5952; ::ffff:10.0.0.1 for a mapped IPv4 address. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  if (isMapped(bytes, at)) return `::ffff:${formatIpv4(bytes, at + 12)}`;
  const gap = longestZeroRun(bytes, at);
  let text = '';
  for (let index = 0; index < 8; index++) {
    if (index === gap.start) {
      text += '::';
      index = gap.end - 1;
    } else {
      if (index > 0 && index !== gap.end) text += ':';
      text += uint16(bytes, at + 2 * index).toString(16);
    }
  }
  return text;
}

/** RFC 4291 section 2.5.5.2: 80 zero bits, then 16 ones. */
function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  return uint16(bytes, at + 10) === 0xffff;
}

/** RFC 5952 section 4.2: the longest run of zero words is left out, the first one if several are equal; a single word stays. */
function longestZeroRun(bytes: Uint8Array, at: number): { start: number; end: number } {
  let best = { start: -1, end: -1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && uint16(bytes, at + 2 * end) === 0) end++;
    if (end - start > Math.max(1, best.end - best.start)) best = { start, end };
    start = end;
  }
  return best;
}

/**
 * The 4 or 16 bytes of an IP address.
 * @throws TypeError when it is not an address
 */
export function parseIp(text: string): Uint8Array {
  // ipaddr.js itself also accepts short and octal forms.
  if (text.includes('%') || isIP(text) === 0) throw new TypeError(`not an IP address: "${text}"`);
  return Uint8Array.from(ipaddr.parse(text).toByteArray());
}

/**
 * The 6 bytes of a MAC, in upper or lower case.
 * @throws TypeError when it is not a MAC
 */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new TypeError(`not a MAC address: "${text}"`);
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/**
 * An IP address in its canonical form, from any notation.
 * @throws TypeError when it is not an address
 */
export function canonicalIp(text: string): string {
  const bytes = parseIp(text);
  return bytes.length === 4 ? formatIpv4(bytes, 0) : formatIpv6(bytes, 0);
}

/**
 * A MAC in lower case.
 * @throws TypeError when it is not a MAC
 */
export function canonicalMac(text: string): string {
  return formatMac(parseMac(text), 0);
}
