/** Networks in CIDR form, of both versions of IP. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The network of an address with its prefix length: "10.0.0.0/24" for "10.0.0.7/24". */
export function networkOf(cidr: string): string {
  const { address, prefix, family } = partsOf(cidr);
  const IP = family === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${textOf(IP.networkAddressFromCIDR(`${address}/${prefix}`))}/${prefix}`;
}

/** Whether all addresses of a network, or one address, are in another network. */
export function isWithin(inner: string, outer: string): boolean {
  const [one, other] = [partsOf(inner), partsOf(outer)];
  if (one.family !== other.family || one.prefix < other.prefix) return false;
  return ipaddr.parse(one.address).match(ipaddr.parse(other.address), other.prefix);
}

/** Whether two networks have an address in common. */
export function overlap(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

/** An IPv4 address as a number, and back (RFC 791). */
export function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** See {@link numberOf}. */
export function addressAt(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
}

/** The /64 of an IPv6 network with this number; the first one is 0. @param index less than 2^32 */
export function slash64Of(network: string, index: number): string {
  const [one = 0, two = 0, three = 0, four = 0] = ipaddr.IPv6.parse(partsOf(network).address).parts;
  const number = three * 65_536 + four + index;
  return `${textOf(new ipaddr.IPv6([one, two, Math.floor(number / 65_536), number % 65_536, 0, 0, 0, 0]))}/64`;
}

/** An IPv6 address with the first 64 bits of a network, and its own interface identifier (RFC 4291, 2.5.1). */
export function movedTo64(address: string, network: string): string {
  const [from, to] = [ipaddr.IPv6.parse(address), ipaddr.IPv6.parse(partsOf(network).address)];
  return textOf(new ipaddr.IPv6([...to.parts.slice(0, 4), ...from.parts.slice(4)]));
}

function textOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return 'parts' in address ? address.toRFC5952String() : address.toString();
}

interface Parts {
  address: string;
  /** Its length in bits. */
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** Splits an address and its prefix length, which defaults to that of a single address. @throws TypeError */
export function partsOf(cidr: string): Parts {
  const [address = '', prefix] = cidr.split('/');
  // ipaddr.js itself also accepts short and octal forms.
  const version = isIP(address);
  if (version === 0) throw new TypeError(`${cidr} is no network`);
  const whole = version === 4 ? 32 : 128;
  return { address, family: `ipv${version as 4 | 6}`, prefix: prefix === undefined ? whole : Number(prefix) };
}
