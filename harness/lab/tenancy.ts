/**
 * What is minded where hosts and wire are somebody else's: which addresses may be used, and whether somebody has them; which MAC
 * addresses the lab's own links get; that no host's default route is touched.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import { parseIpJson } from '../link/link-info.js';
import type { Route } from '../link/route.js';
import { arping } from '../probe/arping.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { routedNetworks } from './article-networks.js';
import type { Premises } from './driver.js';
import { Lacking } from './lacking.js';
import { isWithin, networkOf, overlap } from './network.js';
import { withoutPrefix } from './station.js';

/** An interface on the wire, from which neighbours can be asked. */
export interface Foothold {
  stack: NetworkStack;
  device: string;
}

interface Taken {
  network: string;
  by: string;
}

export class Tenancy {
  readonly #premises: Premises;
  readonly #hosts: readonly Foothold[];
  readonly #taken: Taken[];
  readonly #asked = new Map<string, Promise<void>>();
  #children = 0;

  /** @param hosts the hosts' own stacks, each with its card */
  constructor(premises: Premises, hosts: readonly Foothold[]) {
    this.#premises = premises;
    this.#hosts = hosts;
    this.#taken = [...(premises.taken ?? [])];
  }

  /** Learns which networks the hosts use themselves, before anything is added to them. */
  async look(): Promise<void> {
    const found = await Promise.all(this.#hosts.map(({ stack }) => routesOf(stack)));
    this.#taken.push(...found.flat());
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

  /** A route as a host may have it: a default route would take its own from it. */
  routesFor(node: string, { to, ...how }: Route): Route[] {
    if (to !== 'default' || !this.isOwn(node)) return [{ to, ...how }];
    const version = how.via?.includes(':') ? ':' : '.';
    return routedNetworks
      .filter((network) => network.includes(version) && this.#allows(network))
      .map((network) => ({ to: network, ...how, metric: asDefault }));
  }

  /**
   * Makes sure that addresses in CIDR form may be used, and that nobody on the wire has them: asked by each host, as RFC 5227 has it,
   * once in a lab.
   * @param at the one interface from which is asked, where that is not the hosts' cards: a VLAN's
   * @throws Lacking where they may not
   * @throws MacvlabError HOST_ADDRESSES when somebody answers
   */
  async claim(addresses: readonly string[], at?: Foothold): Promise<void> {
    for (const address of addresses) this.#refuse(networkOf(address));
    if (this.#premises.alone) return;
    const footholds = at ? [at] : this.#hosts;
    const asked = addresses
      .map(withoutPrefix)
      .filter((address) => isIPv4(address))
      .flatMap((address) => footholds.map((foothold) => this.#ask(address, foothold)));
    await Promise.all(asked);
  }

  #allows(network: string): boolean {
    const { addresses } = this.#premises;
    return addresses === undefined || addresses.some((allowed) => isWithin(network, allowed));
  }

  #refuse(network: string): void {
    if (!this.#allows(network))
      throw new Lacking('machine', `the inventory does not allow ${network}: add it to \`addresses\``);
    const taken = this.#taken.find((each) => overlap(each.network, network));
    if (taken) throw new Lacking('machine', `needs ${network}, and ${taken.by}`);
  }

  #ask(address: string, { stack, device }: Foothold): Promise<void> {
    const key = `${address} ${stack.name} ${device}`;
    const asking = this.#asked.get(key) ?? refuseIfAnswered(address, stack, device);
    this.#asked.set(key, asking);
    return asking;
  }
}

/** A default route comes behind that to a network of one's own; so does what stands for it. */
const asDefault = 1000;

/** Probes as often as RFC 5227 does, but in a third of its time: nobody waits for these addresses, who could be slow to answer. */
const probes = { count: 2, deadline: 2 } as const;

async function refuseIfAnswered(address: string, stack: NetworkStack, device: string): Promise<void> {
  const { macs } = await arping(stack, address, { device, probe: true, kind: 'reading', ...probes });
  const [mac] = macs;
  if (mac === undefined) return;
  throw new MacvlabError(
    'HOST_ADDRESSES',
    `${mac} has ${address}, which the experiments need: it answered ${stack.name}`,
    {
      next: 'take its network out of `addresses` in the inventory, or that machine off this wire',
    },
  );
}

const routes = z.array(z.looseObject({ dst: z.string(), dev: z.string().optional(), type: z.string().optional() }));

/** Networks that come with every interface, or lead nowhere. */
const nobodys = ['fe80::/10', 'ff00::/8', '127.0.0.0/8', '::1/128'];

/** The networks that a host has routes to, but for its default route, and where they lead. */
async function routesOf(stack: NetworkStack): Promise<Taken[]> {
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
