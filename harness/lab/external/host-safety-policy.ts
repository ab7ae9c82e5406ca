/** What a lab may do on its hosts and their wire. Each lab has a policy: that of a lab on its own machines allows everything. */
import type { Scope } from '../../core/scope.js';
import type { Route } from '../../link/route.js';
import type { AddressMap } from '../../address-plan/address-map.js';
import type { NetworkStack } from '../../remote/network-stack.js';

/** An interface on the wire, from which ARP requests can be sent. */
export interface ProbeInterface {
  stack: NetworkStack;
  device: string;
}

export interface HostSafetyPolicy {
  /** Present where suites' addresses are translated on these hosts, which have an allowed range. */
  readonly map: AddressMap | undefined;
  /** Detects the networks that the hosts use themselves, before macvlab changes them. */
  look(): Promise<void>;
  /** Whether a node is a host's own network stack. */
  isOwn(node: string): boolean;
  /** Refuses a child that receives all frames of a host's NIC, where that would disconnect the host. @throws MissingPrerequisite */
  refuseTakingAll(node: string): void;
  /** A MAC address for a new child; undefined where the kernel may choose one. */
  nextMac(): string | undefined;
  /**
   * A route that a host may have.
   * @param scope the networks of the route keep their places until it ends
   */
  routesFor(node: string, route: Route, scope: Scope): Route[];
  /**
   * Makes sure that addresses in CIDR form may be used, and that no machine on the wire has them.
   * @param at the one interface from which ARP requests are sent, instead of the hosts' NICs: a VLAN's
   * @returns a function to be called when they are no longer used
   * @throws MissingPrerequisite where they may not be used; MacvlabError HOST_ADDRESSES when a machine answers
   */
  claim(addresses: readonly string[], at?: ProbeInterface): Promise<() => void>;
}

/** The policy of a lab on its own machines. */
export const everythingAllowed: HostSafetyPolicy = {
  map: undefined,
  look: () => Promise.resolve(),
  isOwn: () => false,
  refuseTakingAll: () => undefined,
  nextMac: () => undefined,
  routesFor: (_, route) => [route],
  claim: () => Promise.resolve(() => undefined),
};
