/** Wiring a lab's nodes where one machine holds them all as network namespaces. Only talks to machines over SSH. */
import { MacvlabError } from '../core/error.js';
import { patience, poll } from '../core/wait.js';
import { apply, type Change } from '../link/change.js';
import { readBridgePorts } from '../link/bridge-port.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { NodeName, Topology } from './topology.js';

/**
 * Interface indexes of the switch's (and the router's inner) ends, set apart from those that the kernel counts from 1 in
 * every namespace: where both ends of a veth pair have the same index, the kernel does not see that it is linked, and
 * reports its carrier up to a second late (link_watch.c, linkwatch_urgent_event).
 */
const firstIndex = 101;

/**
 * Lays the cables, sets all interfaces up and waits until the switch forwards on every port.
 * @throws MacvlabError LAB_OPEN with the kernel's words
 */
export async function wireNamespaces(
  machine: NetworkStack,
  nodes: Record<NodeName, NetworkStack>,
  topology: Topology,
): Promise<void> {
  const cables = topology.cables.map(
    ({ from, to }, position) =>
      `link add name ${to.interface} index ${firstIndex + position} netns ${to.node} type veth peer name ${from.interface} netns ${from.node}`,
  );
  await ipBatch(machine, cables);
  const [hosts, switches] = [topology.nodes.filter((name) => name !== 'switch'), ['switch'] as const];
  await Promise.all(topology.nodes.map((name) => apply([quietNamespace(nodes[name], name === 'router')])));
  for (const name of switches) await ipBatch(nodes[name], bridgeLines(topology, interfacesOf(name, topology)));
  await Promise.all(
    hosts.map((name) =>
      ipBatch(nodes[name], [
        'link set dev lo up',
        ...interfacesOf(name, topology).map((device) => `link set dev ${device} up`),
      ]),
    ),
  );
  await forwarding(nodes.switch);
}

function interfacesOf(node: NodeName, { cables }: Topology): string[] {
  const ends = cables.flatMap(({ from, to }) => [from, to]);
  return ends.filter((end) => end.node === node).map((end) => end.interface);
}

/** Waits until every port of a switch forwards, which the kernel allows only once it has noticed the cable's carrier. */
async function forwarding(stack: NetworkStack): Promise<void> {
  let states = '';
  const look = async () => {
    const ports = await readBridgePorts(stack);
    states = ports.map(({ ifname, state }) => `${ifname} ${state}`).join('\n');
    return (ports.length > 0 && ports.every(({ state }) => state === 'forwarding')) || undefined;
  };
  await poll(look, { what: 'all ports of the switch to forward', deadline: patience(10_000), evidence: () => states });
}

/** A plain switch: no spanning tree that would block for 30 s, no multicast snooping, no IPv6 of its own. */
function bridgeLines({ bridge }: Topology, ports: readonly string[]): string[] {
  return [
    `link add name ${bridge} type bridge stp_state 0 mcast_snooping 0`,
    `link set dev ${bridge} addrgenmode none`,
    ...ports.map((port) => `link set dev ${port} addrgenmode none`),
    ...ports.map((port) => `link set dev ${port} master ${bridge}`),
    `link set dev ${bridge} up`,
    ...ports.map((port) => `link set dev ${port} up`),
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
