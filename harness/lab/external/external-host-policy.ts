/**
 * Safety rules for external hosts and their network. They restrict the addresses and the lab's MAC addresses, detect
 * addresses in use, and protect each host's default route.
 */
import { isIPv4 } from 'node:net';
import { MacvlabError } from '../../core/error.js';
import type { Scope } from '../../core/scope.js';
import type { Route } from '../../link/route.js';
import { addressProbes, arping } from '../../probe/arping.js';
import type { NetworkStack } from '../../remote/network-stack.js';
import type { HostSafetyPolicy, ProbeInterface } from './host-safety-policy.js';
import { AddressMap, type Taken } from '../../address-plan/address-map.js';
import { routedBehind, routedNetworks } from '../../address-plan/article-networks.js';
import type { ExternalEnvironment } from '../../machine/external-environment.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import { networkOf, overlap } from '../../core/cidr.js';
import { withoutPrefix } from '../../exchange/station.js';
import { takenBy } from '../../address-plan/taken-networks.js';

export class ExternalHostPolicy implements HostSafetyPolicy {
  readonly #environment: ExternalEnvironment;
  readonly #hosts: readonly ProbeInterface[];
  readonly #taken: Taken[];
  readonly #asked = new Map<string, Promise<void>>();
  #children = 0;
  readonly map: AddressMap | undefined;

  /** @param hosts the hosts' own stacks, each with its NIC */
  constructor(environment: ExternalEnvironment, hosts: readonly ProbeInterface[]) {
    this.#environment = environment;
    this.#hosts = hosts;
    this.#taken = [...environment.taken];
    this.map = environment.addresses && new AddressMap(environment.addresses, this.#taken);
  }

  async look(): Promise<void> {
    const found = await Promise.all(this.#hosts.map(({ stack }) => takenBy(stack)));
    this.#taken.push(...found.flat());
    this.map?.avoid(found.flat());
  }

  isOwn(node: string): boolean {
    return this.#environment.own.some((each) => each === node);
  }

  /**
   * Refuses a child that receives all frames of a host's NIC, if macvlab's session with the host uses the same NIC. The
   * host would be unreachable, and macvlab could not remove the child (macvlan.c, macvlan_handle_frame: passthru).
   * @throws MissingPrerequisite
   */
  refuseTakingAll(node: string): void {
    const why = Object.entries(this.#environment.sessions).find(([name]) => name === node)?.[1];
    if (why !== undefined)
      throw new MissingPrerequisite('machine', `a passthru child gets all frames of its parent, and ${why}`);
  }

  /** A MAC address of the range, never used twice in this lab: unicast, and locally administered (IEEE 802, 8.2.2). */
  nextMac(): string {
    this.#children += 1;
    const bytes = [this.#children >> 8, this.#children].map((value) => (value & 0xff).toString(16).padStart(2, '0'));
    return [this.#environment.macRange, ...bytes].join(':');
  }

  /**
   * A route that a host may have. A new default route would replace the host's own. So it becomes one route to each
   * network that suites use there.
   * @param scope those networks keep their places until it ends
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
   * Makes sure that addresses in CIDR form may be used, and that no machine on the wire has them. Each host sends ARP
   * requests for them (RFC 5227), once per lab.
   * @param at the one interface that sends the requests, instead of the hosts' NICs: a VLAN's
   * @returns a function to be called when they are no longer used
   * @throws MissingPrerequisite where they may not be used
   * @throws MacvlabError HOST_ADDRESSES when a machine answers
   */
  async claim(addresses: readonly string[], at?: ProbeInterface): Promise<() => void> {
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

  async #askFor(addresses: readonly string[], interfaces: readonly ProbeInterface[]): Promise<void> {
    if (this.#environment.alone) return;
    const asked = addresses.map(withoutPrefix).filter((address) => isIPv4(address));
    await Promise.all(asked.flatMap((address) => interfaces.map((from) => this.#ask(address, from))));
  }

  #refuse(network: string): void {
    const taken = this.#taken.find((each) => overlap(each.network, network));
    if (taken) throw new MissingPrerequisite('machine', `needs ${network}, and ${taken.by}`);
  }

  #ask(address: string, { stack, device }: ProbeInterface): Promise<void> {
    const real = this.map?.sent(address) ?? address;
    const key = `${real} ${stack.name} ${device}`;
    const asking = this.#asked.get(key) ?? refuseIfAnswered(address, real, stack, device);
    this.#asked.set(key, asking);
    return asking;
  }
}

/** A default route has lower priority than a route to a directly connected network. So do the routes that replace it. */
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
