/**
 * Maps the suites' networks into an allowed range. Suites and reports have the articles' addresses; hosts and wire have
 * those of the range. A network gets its place when its first address is claimed, and loses it with the last. Suites
 * run one after the other, so that each can use the whole range.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Translation } from '../remote/translation.js';
import { hostsWith } from './article-networks.js';
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import { addressAt, isWithin, movedTo64, networkOf, numberOf, overlap, partsOf, slash64Of } from '../core/cidr.js';

/** The place of an articles' network. */
interface Place {
  article: string;
  real: string;
  /** Real IPv4 addresses, by the articles' addresses. */
  hosts: Map<string, string>;
  users: number;
}

/** A network that a host uses for another purpose, and that purpose. */
export interface Taken {
  network: string;
  by: string;
}

/** IPv4 or IPv6 addresses, with or without a prefix length, in any text: each candidate is checked further. */
const addresses =
  /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?(?!\d|\.\d)|(?<![\w:])[\da-f]*:[\da-f:]*:[\da-f]*(?:\/\d{1,3})?(?![\w:])/gi;

/** An address and its length, as `ip -json` prints them. */
const inJson = /("local":"([\d.a-f:]+)","prefixlen":)(\d+)/g;

export class AddressMap implements Translation {
  readonly #allowed: readonly string[];
  #taken: readonly Taken[];
  readonly #places = new Map<string, Place>();

  /**
   * @param allowed networks in CIDR form
   * @param taken those that must not be used
   */
  constructor(allowed: readonly string[], taken: readonly Taken[] = []) {
    this.#allowed = allowed;
    this.#taken = taken;
  }

  /** Adds networks that must not be used, before the first network has its place. */
  avoid(taken: readonly Taken[]): void {
    this.#taken = [...this.#taken, ...taken];
  }

  /**
   * Gives the networks of these addresses of the articles their places, until the returned function is called.
   * @param cidrs addresses with their prefix lengths
   * @throws MissingPrerequisite where there is no room
   */
  claim(cidrs: readonly string[]): () => void {
    const claimed: Place[] = [];
    const release = () => {
      for (const place of claimed.splice(0)) if (--place.users === 0) this.#places.delete(place.article);
    };
    try {
      const networks = new Map(cidrs.map((cidr) => [networkOf(cidr), partsOf(cidr).address]));
      for (const [article, address] of networks) {
        const place = this.#places.get(article) ?? this.#placeFor(article, address);
        this.#places.set(article, place);
        place.users += 1;
        claimed.push(place);
      }
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  /** Whether a network of the articles has a place. */
  has(article: string): boolean {
    return this.#places.has(article);
  }

  /** Networks and addresses that have a place now, and differ from the articles'. */
  entries(): Record<string, string> {
    const moved = [...this.#places.values()].filter(({ article, real }) => article !== real);
    return Object.fromEntries(moved.flatMap(({ article, real, hosts }) => [[article, real], ...hosts]));
  }

  /** @throws MissingPrerequisite where a network has no address left */
  sent(text: string): string {
    return eachAddress(text, (found) => this.#real(found));
  }

  received(text: string): string {
    const withPrefixes = text.replace(inJson, (found, words: string, address: string, length: string) => {
      const [, prefix] = this.#article(`${address}/${length}`)?.split('/') ?? [];
      return prefix === undefined ? found : `${words}${prefix}`;
    });
    return eachAddress(withPrefixes, (found) => this.#article(found));
  }

  #placeFor(article: string, address: string): Place {
    const place = { article, hosts: new Map<string, string>(), users: 0 };
    // A network within the allowed range keeps its addresses.
    if (this.#allowed.some((each) => isWithin(article, each)) && this.#whyNot(article) === undefined)
      return { ...place, real: article };
    if (article.includes(':')) return { ...place, real: this.#free64(article) };
    const known = hostsWith(address, article);
    const real = this.#freeIpv4(article, known.length);
    const base = endsOf(real)[0];
    return { ...place, real, hosts: new Map(known.map((host, index) => [host, addressAt(base + index + 1)])) };
  }

  /** Why a part of the range cannot be used. */
  #whyNot(real: string): string | undefined {
    const taken = this.#taken.find(({ network }) => overlap(network, real));
    if (taken) return taken.by;
    const other = [...this.#places.values()].find((place) => overlap(place.real, real));
    return other && `${other.article} is in ${other.real}`;
  }

  #freeIpv4(article: string, hosts: number): string {
    const length = prefixFor(article, hosts);
    const size = 2 ** (32 - length);
    const reasons = new Set<string>();
    for (const allowed of this.#allowed.filter((each) => !each.includes(':'))) {
      const { address, prefix } = partsOf(allowed);
      const [first, end] = [numberOf(address), numberOf(address) + 2 ** (32 - prefix)];
      for (let at = first; at + size <= end; at += size) {
        const real = `${addressAt(at)}/${length}`;
        const why = this.#whyNot(real);
        if (why === undefined) return real;
        reasons.add(why);
        if (reasons.size > mostReasons) break;
      }
    }
    throw this.#noRoom(article, `a /${length}`, reasons);
  }

  #free64(article: string): string {
    const reasons = new Set<string>();
    for (const allowed of this.#allowed.filter((each) => each.includes(':'))) {
      const { prefix } = partsOf(allowed);
      for (let index = 0; prefix <= 64 && index < Math.min(2 ** (64 - prefix), most64s); index++) {
        const real = slash64Of(allowed, index);
        const why = this.#whyNot(real);
        if (why === undefined) return real;
        reasons.add(why);
      }
    }
    throw this.#noRoom(article, 'a /64', reasons);
  }

  #noRoom(article: string, wanted: string, reasons: ReadonlySet<string>): MissingPrerequisite {
    const why = reasons.size > 0 ? ` (${[...reasons].join('; ')})` : '';
    const range = this.#allowed.join(', ');
    return new MissingPrerequisite(
      'machine',
      `needs ${wanted} for ${article}: the inventory’s \`addresses\` have no such room in ${range}${why}`,
    );
  }

  #real(found: string): string | undefined {
    const { address, length } = split(found);
    const place = this.#nearest(address, ({ article }) => article);
    if (!place || place.article === place.real) return undefined;
    const [from, to] = [partsOf(place.article), partsOf(place.real)];
    const real = to.family === 'ipv6' ? movedTo64(address, place.real) : this.#realIpv4(place, address);
    return length === undefined ? real : `${real}/${length === from.prefix ? to.prefix : length}`;
  }

  #realIpv4(place: Place, address: string): string {
    const [first, last] = endsOf(place.article);
    const [base, end] = endsOf(place.real);
    const number = numberOf(address);
    if (number === first) return addressAt(base);
    if (number === last) return addressAt(end);
    const known = place.hosts.get(address);
    if (known !== undefined) return known;
    const next = base + place.hosts.size + 1;
    if (next >= end)
      throw new MissingPrerequisite('machine', `needs more addresses for ${place.article} than ${place.real} has`);
    place.hosts.set(address, addressAt(next));
    return addressAt(next);
  }

  #article(found: string): string | undefined {
    const { address, length } = split(found);
    const place = this.#nearest(address, ({ real }) => real);
    if (!place || place.article === place.real) return undefined;
    const [from, to] = [partsOf(place.real), partsOf(place.article)];
    const article = to.family === 'ipv6' ? movedTo64(address, place.article) : articleIpv4(place, address);
    if (article === undefined) return undefined;
    return length === undefined ? article : `${article}/${length === from.prefix ? to.prefix : length}`;
  }

  /** The smallest network that contains an address. */
  #nearest(address: string, network: (place: Place) => string): Place | undefined {
    if (!isIPv4(address) && !isIPv6(address)) return undefined;
    const around = [...this.#places.values()].filter((place) => isWithin(address, network(place)));
    return around.sort((a, b) => partsOf(network(b)).prefix - partsOf(network(a)).prefix)[0];
  }
}

/** Maximum number of reported reasons, and of tried /64s, before the range is rejected. */
const mostReasons = 8;
const most64s = 256;

/** The prefix length of a network for this number of hosts, in addition to its network and broadcast addresses. */
function prefixFor(article: string, hosts: number): number {
  return Math.max(partsOf(article).prefix, 32 - Math.ceil(Math.log2(Math.max(hosts, fewest) + 2)));
}

/** Every network has room for this number of hosts. */
const fewest = 6;

/** Replaces addresses in a text; a colon after an IPv6 address belongs to the sentence. */
function eachAddress(text: string, other: (address: string) => string | undefined): string {
  return text.replace(addresses, (found) => {
    const behind = /[^:]:$/.test(found) ? ':' : '';
    const address = found.slice(0, found.length - behind.length);
    return `${other(address) ?? address}${behind}`;
  });
}

function split(found: string): { address: string; length: number | undefined } {
  const [address = '', length] = found.split('/');
  return { address, length: length === undefined ? undefined : Number(length) };
}

/** The first and the last address of an IPv4 network, as numbers. */
function endsOf(network: string): [number, number] {
  const { address, prefix } = partsOf(networkOf(network));
  return [numberOf(address), numberOf(address) + 2 ** (32 - prefix) - 1];
}

function articleIpv4({ article, real, hosts }: Place, address: string): string | undefined {
  const [base, end] = endsOf(real);
  const number = numberOf(address);
  if (number === base) return addressAt(endsOf(article)[0]);
  if (number === end) return addressAt(endsOf(article)[1]);
  return [...hosts].find(([, each]) => each === address)?.[0];
}
