/** Wiring a lab's nodes where one machine holds them all as network namespaces. Only talks to machines over SSH. */
import { MacvlabError } from '../core/error.js';
import { apply, type Change } from '../link/change.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { NodeName, Topology } from './topology.js';

/**
 * Lays the cables and sets all interfaces up.
 * @throws MacvlabError LAB_OPEN with the kernel's words
 */
export async function wireNamespaces(
  machine: NetworkStack,
  nodes: Record<NodeName, NetworkStack>,
  topology: Topology,
): Promise<void> {
  const cables = topology.cables.map(
    ({ from, to }) =>
      `link add name ${to.interface} netns ${to.node} type veth peer name ${from.interface} netns ${from.node}`,
  );
  await ipBatch(machine, cables);
  await Promise.all(
    topology.nodes.map(async (name) => {
      const stack = nodes[name];
      const interfaces = topology.cables.flatMap(({ from, to }) => [from, to]).filter(({ node }) => node === name);
      await apply([quietNamespace(stack, name === 'router')]);
      await ipBatch(
        stack,
        name === 'switch'
          ? bridgeLines(
              topology,
              interfaces.map((end) => end.interface),
            )
          : ['link set dev lo up', ...interfaces.map((end) => `link set dev ${end.interface} up`)],
      );
    }),
  );
}

/** A plain switch: no spanning tree that would block for 30 s, no multicast snooping, no IPv6 of its own. */
function bridgeLines({ bridge }: Topology, ports: readonly string[]): string[] {
  return [
    `link add name ${bridge} type bridge stp_state 0 mcast_snooping 0`,
    `link set dev ${bridge} addrgenmode none`,
    ...ports.map((port) => `link set dev ${port} addrgenmode none`),
    ...ports.map((port) => `link set dev ${port} master ${bridge}`),
    ...ports.map((port) => `link set dev ${port} up`),
    `link set dev ${bridge} up`,
  ];
}

async function ipBatch(stack: NetworkStack, lines: readonly string[]): Promise<void> {
  const result = await stack.run(['ip', '-batch', '-'], 'change', { stdin: `${lines.join('\n')}\n` });
  if (result.status === 0) return;
  throw new MacvlabError('LAB_OPEN', `${stack.name} could not be wired: ${result.stderr.trim()}`, {
    evidence: lines.join('\n'),
    next: 'run `macvlab doctor`, which tries each kind of link that a lab needs',
  });
}

/**
 * Settings of a namespace that hosts differ in and that would change results: no reverse path filter, ARP as the kernel
 * ships it, no IPv6 autoconfiguration and no duplicate address detection (Documentation/networking/ip-sysctl.rst).
 */
export function quietNamespace(stack: NetworkStack, forwarding = false): Change {
  const settings = {
    'ipv4/conf/*/rp_filter': 0,
    'ipv4/conf/*/arp_ignore': 0,
    'ipv4/conf/*/arp_filter': 0,
    'ipv4/conf/*/send_redirects': 0,
    'ipv4/ip_forward': Number(forwarding),
    'ipv6/conf/all/forwarding': Number(forwarding),
    'ipv6/conf/*/accept_ra': 0,
    'ipv6/conf/*/autoconf': 0,
    'ipv6/conf/*/router_solicitations': 0,
    'ipv6/conf/*/dad_transmits': 0,
  };
  const writes = Object.entries(settings).map(
    ([name, value]) => `for f in ${name}; do [ ! -e "$f" ] || echo ${value} >"$f"; done`,
  );
  return {
    stack,
    what: 'settings as the kernel ships them',
    command: ['sh', '-ec', ['cd /proc/sys/net', ...writes].join('\n')],
  };
}
