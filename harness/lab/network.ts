/** Networks in CIDR form, of both versions of IP. */
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';

/** The network that an address with its prefix length is in: "10.0.0.0/24" for "10.0.0.7/24". */
export function networkOf(cidr: string): string {
  const { address, prefix, family } = partsOf(cidr);
  if (family === 'ipv4') {
    const bytes = address.split('.').map(Number);
    return `${masked(bytes, 8, prefix).join('.')}/${prefix}`;
  }
  const groups = masked(groupsOf(address), 16, prefix).map((group) => group.toString(16));
  return `${new SocketAddress({ address: groups.join(':'), family }).address}/${prefix}`;
}

/** Whether all addresses of a network, or one address, are in another network. */
export function isWithin(inner: string, outer: string): boolean {
  const [one, other] = [partsOf(inner), partsOf(outer)];
  if (one.family !== other.family || one.prefix < other.prefix) return false;
  const block = new BlockList();
  block.addSubnet(other.address, other.prefix, other.family);
  return block.check(one.address, one.family);
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

/** The /64 of an IPv6 network that comes so many behind its first one. @param index less than 2^32 */
export function slash64Of(network: string, index: number): string {
  const groups = groupsOf(partsOf(network).address);
  const number = (groups[2] ?? 0) * 65_536 + (groups[3] ?? 0) + index;
  const prefix = [...groups.slice(0, 2), Math.floor(number / 65_536), number % 65_536];
  return networkOf(`${prefix.map((group) => group.toString(16)).join(':')}::/64`);
}

/** An IPv6 address with the first 64 bits of a network, and its own interface identifier (RFC 4291, 2.5.1). */
export function movedTo64(address: string, network: string): string {
  const groups = [...groupsOf(partsOf(network).address).slice(0, 4), ...groupsOf(address).slice(4)];
  return new SocketAddress({ address: groups.map((group) => group.toString(16)).join(':'), family: 'ipv6' }).address;
}

interface Parts {
  address: string;
  /** Its length in bits. */
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** An address with its prefix length, which is the whole address's where none is given, taken apart. */
export function partsOf(cidr: string): Parts {
  const [address = '', prefix] = cidr.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (family === 'ipv6' && !isIPv6(address)) throw new TypeError(`${cidr} is no network`);
  return { address, family, prefix: prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix) };
}

/** The eight groups of an IPv6 address (RFC 4291, 2.2), none of them written as IPv4. */
function groupsOf(address: string): number[] {
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const between = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...between, ...after].map((group) => Number.parseInt(group, 16));
}

/** Numbers of so many bits each, with all bits behind the prefix cleared. */
function masked(numbers: readonly number[], bits: number, prefix: number): number[] {
  return numbers.map((number, index) => {
    const kept = Math.min(bits, Math.max(0, prefix - index * bits));
    return number & (2 ** bits - 2 ** (bits - kept));
  });
}
