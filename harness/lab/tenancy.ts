/**
 * What is minded where hosts and wire are somebody else's: which addresses may be used, and whether somebody has them; which MAC
 * addresses the lab's own links get; that no host's default route is touched.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { Scope } from '../core/scope.js';
import { parseIpJson } from '../link/link-info.js';
import type { Route } from '../link/route.js';
import { addressProbes, arping } from '../probe/arping.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { AddressMap, type Taken } from './address-map.js';
import { routedBehind, routedNetworks } from './article-networks.js';
import type { Premises } from './driver.js';
import { Lacking } from './lacking.js';
import { isWithin, networkOf, overlap } from './network.js';
import { withoutPrefix } from './station.js';

/** An interface on the wire, from which neighbours can be asked. */
export interface Foothold {
  stack: NetworkStack;
  device: string;
}

export class Tenancy {
  readonly #premises: Premises;
  readonly #hosts: readonly Foothold[];
  readonly #taken: Taken[];
  readonly #asked = new Map<string, Promise<void>>();
  #children = 0;
  /** Present where suites' addresses are others on these hosts, which have allowed a range of their own. */
  readonly map: AddressMap | undefined;

  /** @param hosts the hosts' own stacks, each with its card */
  constructor(premises: Premises, hosts: readonly Foothold[]) {
    this.#premises = premises;
    this.#hosts = hosts;
    this.#taken = [...(premises.taken ?? [])];
    this.map = premises.addresses && new AddressMap(premises.addresses, this.#taken);
  }

  /** Learns which networks the hosts use themselves, before anything is added to them. */
  async look(): Promise<void> {
    const found = await Promise.all(this.#hosts.map(({ stack }) => takenBy(stack)));
    this.#taken.push(...found.flat());
    this.map?.avoid(found.flat());
  }

  /** Whether a node is a host's own network stack. */
  isOwn(node: string): boolean {
    return this.#premises.own.some((each) => each === node);
  }

  /**
   * Refuses a child that gets all frames of a host's card, where these are also those of the session by which the host is reached: it
   * would be cut off, and could not be told to take the child away (macvlan.c, macvlan_handle_frame: passthru).
   * @throws Lacking
   */
  refuseTakingAll(node: string): void {
    const why = Object.entries(this.#premises.sessions ?? {}).find(([name]) => name === node)?.[1];
    if (why !== undefined) throw new Lacking('machine', `a passthru child gets all frames of its parent, and ${why}`);
  }

  /** A MAC address of the range, never given twice in this lab: unicast, and locally administered (IEEE 802, 8.2.2). */
  nextMac(): string {
    this.#children += 1;
    const bytes = [this.#children >> 8, this.#children].map((value) => (value & 0xff).toString(16).padStart(2, '0'));
    return [this.#premises.macRange, ...bytes].join(':');
  }

  /**
   * A route as a host may have it: a default route would take its own from it, so that it is one to each network that suites have there.
   * @param scope until whose end those networks keep their places
   */
  routesFor(node: string, { to, ...how }: Route, scope: Scope): Route[] {
    if (to !== 'default' || !this.isOwn(node)) return [{ to, ...how }];
    const version = how.via?.includes(':') ? ':' : '.';
    return this.#behind(how.via ?? '', scope)
      .filter((network) => network.includes(version))
      .map((network) => ({ to: network, ...how, metric: asDefault }));
  }

  #behind(gateway: string, scope: Scope): readonly string[] {
    const { map } = this;
    if (!map) return routedNetworks;
    const addresses = routedBehind(gateway);
    scope.defer(`networks behind ${gateway} are free again`, map.claim(addresses));
    return addresses.map(networkOf);
  }

  /**
   * Makes sure that addresses in CIDR form may be used, and that nobody on the wire has them: asked by each host, as RFC 5227 has it,
   * once in a lab.
   * @param at the one interface from which is asked, where that is not the hosts' cards: a VLAN's
   * @returns what is called when they are no longer used
   * @throws Lacking where they may not
   * @throws MacvlabError HOST_ADDRESSES when somebody answers
   */
  async claim(addresses: readonly string[], at?: Foothold): Promise<() => void> {
    if (!this.map) for (const address of addresses) this.#refuse(networkOf(address));
    const release = this.map?.claim(addresses) ?? (() => undefined);
    try {
      await this.#askFor(addresses, at ? [at] : this.#hosts);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  async #askFor(addresses: readonly string[], footholds: readonly Foothold[]): Promise<void> {
    if (this.#premises.alone) return;
    const asked = addresses.map(withoutPrefix).filter((address) => isIPv4(address));
    await Promise.all(asked.flatMap((address) => footholds.map((foothold) => this.#ask(address, foothold))));
  }

  #refuse(network: string): void {
    const taken = this.#taken.find((each) => overlap(each.network, network));
    if (taken) throw new Lacking('machine', `needs ${network}, and ${taken.by}`);
  }

  #ask(address: string, { stack, device }: Foothold): Promise<void> {
    const real = this.map?.sent(address) ?? address;
    const key = `${real} ${stack.name} ${device}`;
    const asking = this.#asked.get(key) ?? refuseIfAnswered(address, real, stack, device);
    this.#asked.set(key, asking);
    return asking;
  }
}

/** A default route comes behind that to a network of one's own; so does what stands for it. */
const asDefault = 1000;

async function refuseIfAnswered(address: string, real: string, stack: NetworkStack, device: string): Promise<void> {
  const { macs } = await arping(stack, address, { ...addressProbes, device, kind: 'reading' });
  const [mac] = macs;
  if (mac === undefined) return;
  throw new MacvlabError(
    'HOST_ADDRESSES',
    `${mac} has ${real}, which the experiments need${real === address ? '' : ` (as ${address})`}: it answered ${stack.name}`,
    {
      next: 'take its network out of `addresses` in the inventory, or that machine off this wire',
    },
  );
}

const routes = z.array(z.looseObject({ dst: z.string(), dev: z.string().optional(), type: z.string().optional() }));

/** Networks that come with every interface, or lead nowhere. */
const nobodys = ['fe80::/10', 'ff00::/8', '127.0.0.0/8', '::1/128'];

/** The networks that a host has routes to, but for its default route, and where they lead. */
export async function takenBy(stack: NetworkStack): Promise<Taken[]> {
  const tables = await Promise.all(
    ['-4', '-6'].map((version) => stack.run(['ip', '-j', version, 'route', 'show', 'table', 'all'], 'reading')),
  );
  const found = tables.flatMap(({ stdout }) => parseIpJson(stdout, routes));
  return found
    .filter(
      ({ dst, type }) =>
        dst !== 'default' && [undefined, 'local'].includes(type) && !nobodys.some((each) => isWithin(dst, each)),
    )
    .map(({ dst, dev }) => ({
      network: networkOf(dst),
      by: `${stack.name} has a route to ${dst} already${dev === undefined ? '' : `, by ${dev}`}`,
    }));
}
