/** The IPv4 addresses that children may be given: "10.0.0.0/28" or "10.0.0.50-10.0.0.60". */
import { isIPv4 } from 'node:net';
import { MacvlabError } from '../core/error.js';
import { addressAt, numberOf } from '../core/cidr.js';

/** A range of addresses, as numbers; both ends are included. */
export interface AddressRange {
  /** As the user wrote it. */
  text: string;
  first: number;
  last: number;
  /** For a range in CIDR form. */
  prefix?: number;
}

/** Reads a range. @throws MacvlabError USAGE for an invalid range, or one without room for two children */
export function parseRange(text: string): AddressRange {
  const range = text.includes('-') ? between(text) : cidr(text);
  if (!range || range.last < range.first) {
    throw new MacvlabError('USAGE', `--addresses: "${text}" is no range of IPv4 addresses`, {
      next: 'write a subnet, 10.0.0.0/24, or a first and a last address, 10.0.0.50-10.0.0.60',
    });
  }
  return range;
}

function between(text: string): AddressRange | undefined {
  const [first = '', last = '', ...more] = text.split('-').map((part) => part.trim());
  if (!isIPv4(first) || !isIPv4(last) || more.length > 0) return undefined;
  return { text, first: numberOf(first), last: numberOf(last) };
}

function cidr(text: string): AddressRange | undefined {
  const [, address = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text.trim()) ?? [];
  const prefix = Number(length);
  if (!isIPv4(address) || length === '' || prefix < 1 || prefix > 32) return undefined;
  const { first, last } = subnetOf(numberOf(address), prefix);
  return { text, first, last, prefix };
}

/** How the range is used. */
export interface RangeUse {
  /** Addresses that the children must reach without a router: that of the gateway. */
  near: readonly string[];
  /** Further addresses that the children must not use: those of the hosts, and that of the peer's child. */
  others: readonly string[];
  /** The prefix length of the segment, if it is known. */
  prefix?: number | undefined;
}

/**
 * The prefix length for the children: the known one if it spans all, else the longest that spans the range and the near
 * addresses.
 */
export function prefixOf(range: AddressRange, { near, prefix }: RangeUse): number {
  const all = [range.first, range.last, ...near.map(numberOf)];
  const spans = (length: number) =>
    all.every((each) => subnetOf(each, length).first === subnetOf(all[0] ?? 0, length).first);
  if (prefix !== undefined && spans(prefix)) return prefix;
  let length = Math.min(range.prefix ?? 30, 30);
  while (length > 0 && !spans(length)) length--;
  return length;
}

/**
 * Addresses of the range to probe, in this order, from a place in the range on. The network address, the broadcast
 * address and the other used addresses are left out.
 * @param place 0 up to 1: where in the range to begin, so that two simultaneous users seldom collide
 */
export function candidates(range: AddressRange, use: RangeUse, place: number, count: number): string[] {
  const { first, last } = subnetOf(range.first, prefixOf(range, use));
  const size = range.last - range.first + 1;
  const start = Math.floor(size * place);
  const taken = new Set([...use.near, ...use.others]);
  const found: string[] = [];
  for (let step = 0; step < size && found.length < count; step++) {
    const number = range.first + ((start + step) % size);
    const address = addressAt(number);
    const isEdge = number === first || number === last || isEdgeOf(range, number);
    if (!isEdge && !taken.has(address)) found.push(address);
  }
  return found;
}

/** Addresses of the range that must not be probed, each with its reason: "10.0.0.1 is the gateway’s". */
export function leftOut(range: AddressRange, use: RangeUse): string[] {
  const { first, last } = subnetOf(range.first, prefixOf(range, use));
  const inRange = (address: string) => numberOf(address) >= range.first && numberOf(address) <= range.last;
  const edges = [...new Set([range.first, range.last])].filter(
    (number) => number === first || number === last || isEdgeOf(range, number),
  );
  return [
    ...use.near.filter(inRange).map((address) => `${address} is the gateway’s`),
    ...use.others.filter(inRange).map((address) => `${address} is one of the hosts’ own, or the peer’s child has it`),
    ...edges.map((number) => `${addressAt(number)} is the network’s own or its broadcast address`),
  ];
}

/** No host uses the first and the last address of a given subnet, even if a larger subnet is in use (RFC 1812, 4.2.2.11). */
function isEdgeOf({ prefix, first, last }: AddressRange, number: number): boolean {
  return prefix !== undefined && prefix < 31 && (number === first || number === last);
}

function subnetOf(address: number, prefix: number): { first: number; last: number } {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}
