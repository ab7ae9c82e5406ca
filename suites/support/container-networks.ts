/** A network of container engines, and assertions about its containers for any engine. */
import { isIPv4 } from 'node:net';
import { expect } from '../../harness/expect/expect.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import type { AddressPlan } from '../../harness/lab/lab.js';
import type { Node } from '../../harness/lab/node.js';
import { withoutPrefix } from '../../harness/exchange/station.js';

/** The introduction's network, with a second subnet, and a client on the other side of the gateway. */
export const addresses: AddressPlan = {
  node1: { addresses: ['192.168.8.110/24', '192.168.9.110/24'] },
  node2: { addresses: ['192.168.8.111/24', '192.168.9.111/24'] },
  router: { addresses: ['192.168.8.1/24', '192.168.9.1/24'], behind: ['10.8.0.1/16'] },
  client: { addresses: ['10.8.0.241/16'], routes: [{ to: 'default', via: '10.8.0.1' }] },
};

/** Subnets as engines receive them: the article's, another, and one of IPv6. */
export const article = { subnet: '192.168.8.0/24', gateway: '192.168.8.1' };
export const second = { subnet: '192.168.9.0/24', gateway: '192.168.9.1' };
export const version6 = { subnet: '2001:db8:8::/64', gateway: '2001:db8:8::1' };

/** Asserts that a container's interface is a macvlan on a device of its node, not a dummy or another kind. */
export async function expectChildOf(container: Endpoint, node: Node, parent = node.device): Promise<void> {
  const [child, below] = [await container.link(), await node.link(parent)];
  expect(child.linkinfo?.info_kind, 'kind of the container’s interface').to.equal('macvlan');
  expect(child.link_index, `index of the link below, against that of ${parent}`).to.equal(below.ifindex);
  expect(container.parent).to.equal(parent);
}

/** A container's IPv4 address, without prefix length. */
export function ipv4Of({ addresses: own }: Endpoint): string {
  return own.map(withoutPrefix).find(isIPv4) ?? 'none';
}

/** The names of a node's links. */
export async function linkNames(node: Node): Promise<string[]> {
  return (await node.links()).map(({ ifname }) => ifname);
}
