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

interface Parts {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

function partsOf(cidr: string): Parts {
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
