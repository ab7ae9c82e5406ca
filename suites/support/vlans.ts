/** Article 2's network: trunks with native VLAN 1 and tagged VLANs 10 and 20, a router in each of them, four containers. */
import { expect } from '../../harness/expect/expect.js';
import type { AttachOptions, Endpoint } from '../../harness/lab/endpoint.js';
import type { Exchange } from '../../harness/exchange/exchange.js';
import type { AddressPlan } from '../../harness/lab/lab.js';
import type { Node } from '../../harness/lab/node.js';
import type { Switch, Trunk } from '../../harness/lab/switch/switch.js';
import type { TestContext } from '../../harness/run/test-context.js';
import type { View } from '../../harness/wire/capture-point.js';

export const needs = ['vlan', 'bridge vlan filtering'] as const;

/** The untagged network, in the trunks' native VLAN. */
export const addresses: AddressPlan = {
  node1: { addresses: ['192.168.1.11/24', '2001:db8:babe:1::11/64'] },
  node2: { addresses: ['192.168.1.12/24', '2001:db8:babe:1::12/64'] },
  router: { addresses: ['192.168.1.1/24', '2001:db8:babe:1::1/64'] },
};

/** The VLANs on every port, unless an experiment sets others. */
export const trunk: Trunk = { native: 1, allowed: [10, 20] };

/** Turns the switch's VLAN filtering on, with a trunk to every node. */
export async function layTrunks(sw: Switch, to: Trunk = trunk): Promise<void> {
  await sw.filterVlans();
  await Promise.all([...sw.ports.keys()].map((port) => sw.trunk(port, to)));
}

/** Addresses of both versions in a VLAN: 10.0.<vlan>.<host> and 2001:db8:babe:<vlan>::<host>. */
export function inVlan(vlan: number, host: number): string[] {
  return [`10.0.${vlan}.${host}/24`, `2001:db8:babe:${vlan}::${host}/64`];
}

/**
 * Addresses in the one subnet that containers of all VLANs share. So they send ARP requests for each other, which hosts
 * do not send for an address beyond a gateway.
 */
export function shared(host: number): string[] {
  return inVlan(30, host);
}

/** Creates a sub-interface of a VLAN with the VLAN's address of a host. @returns its name */
async function footIn(node: Node, vlan: number, host: number): Promise<string> {
  const device = await node.vlan(vlan);
  await node.configure({ device, addresses: inVlan(vlan, host) });
  return device;
}

/** The router's sub-interfaces: 10.0.10.1, 10.0.20.1, and ::1 of each prefix. */
export async function routerOnAStick(router: Node, vlans: readonly number[] = [10, 20]): Promise<void> {
  await Promise.all(vlans.map((vlan) => footIn(router, vlan, 1)));
}

/** The article's containers: c1 and c2 in VLAN 10, c3 and c4 in VLAN 20, odd ones on node1 and even ones on node2. */
export interface Containers {
  c1: Endpoint;
  c2: Endpoint;
  c3: Endpoint;
  c4: Endpoint;
}

/** Creates the containers on sub-interfaces of both nodes; each has the options of `more` and its address in its VLAN. */
export async function makeContainers(
  { node1, node2 }: Pick<TestContext, 'node1' | 'node2'>,
  more: (vlan: number, host: number) => { addresses?: string[]; routes?: AttachOptions['routes'] } = () => ({}),
): Promise<Containers> {
  const make = async (node: Node, vlan: number, host: number) => {
    const { addresses: further = [], routes = [] } = more(vlan, host);
    const address = [...inVlan(vlan, host), ...further];
    return node.endpoint(`c${host - 10}`, { mode: 'bridge', parent: await node.vlan(vlan), address, routes });
  };
  const [c1, c2, c3, c4] = await Promise.all([
    make(node1, 10, 11),
    make(node2, 10, 12),
    make(node1, 20, 13),
    make(node2, 20, 14),
  ]);
  return { c1, c2, c3, c4 };
}

/** Asserts the tags, outermost first, of all of an exchange's own frames in views on its path: [10]; [] for none. */
export async function expectTags(exchange: Exchange, tags: readonly number[], ...views: View[]): Promise<void> {
  for (const view of views) {
    const stacks = (await exchange.allOwn(view)).map(({ frame }) => frame.vlans.map(({ id }) => id));
    const distinct = [...new Map(stacks.map((stack) => [stack.join(), stack])).values()];
    expect(distinct, view.label).to.deep.equal([tags]);
  }
}
