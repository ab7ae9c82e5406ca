/** MAC addresses that no host has: locally administered, from a random range for each run. */
import { randomBytes } from 'node:crypto';

/** The first four bytes of a run's addresses: "02:6d:3f:a1". */
export type MacRange = string;

/** Chooses a range for a run. */
export function newMacRange(): MacRange {
  const [a = '', b = ''] = randomBytes(2).toString('hex').match(/../g) ?? [];
  return `02:6d:${a}:${b}`;
}

/** An address of a range. @param number 0 to 255 */
export function macOf(range: MacRange, number: number): string {
  return `${range}:00:${number.toString(16).padStart(2, '0')}`;
}

/** Matches frames from and to addresses of a range, in the syntax of pcap-filter(7). A tag follows the addresses and does not matter. */
export function macFilter(range: MacRange): string {
  const word = `0x${range.replaceAll(':', '')}`;
  return `ether[6:4] = ${word} or ether[0:4] = ${word}`;
}

/** The group for solicitations of the neighbour with a MAC's link-local address (RFC 4291, 2.7.1; RFC 2464, 7). */
export function solicitedNodeOf(mac: string): string {
  return `33:33:ff:${mac.slice(9)}`;
}

/** The link-local address that belongs to a MAC (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const [a = '0', b = '', c = '', d = '', e = '', f = ''] = mac.split(':');
  const flipped = (Number.parseInt(a, 16) ^ 2).toString(16).padStart(2, '0');
  const words = [`${flipped}${b}`, `${c}ff`, `fe${d}`, `${e}${f}`];
  return `fe80::${words.map((word) => Number.parseInt(word, 16).toString(16)).join(':')}`;
}
