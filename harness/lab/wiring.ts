/** Connects a lab's nodes, which are network namespaces on one machine or on several. Uses machines only over SSH. */
import { MacvlabError } from '../core/error.js';
import { poll } from '../core/wait.js';
import { readBridgePorts } from '../link/bridge-port.js';
import type { Change } from '../link/change.js';
import type { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Host } from '../machine/driver.js';
import type { Cable, NodeName, Topology } from '../machine/topology.js';
import { firstIndex, randomMac } from '../machine/link-identity.js';

/** The properties of a wired lab. */
export interface WiringResult {
  /** Kernel release of the machine that holds the switch; that of node1 if the switch's machine is unknown. */
  kernel: string;
  /** MAC address of each node's uplink. */
  macs: ReadonlyMap<NodeName, string>;
}

/**
 * Creates the cables, sets all interfaces up and waits until the switch forwards on every port: in one round trip with
 * each machine, the switch's first. Cables within a machine are veth pairs. A cable between two machines exists
 * already, and its ends get their names.
 * @throws MacvlabError LAB_OPEN with the kernel's message
 */
export async function wire(hosts: readonly Host[], topology: Topology, log: CommandLog): Promise<WiringResult> {
  const made = hosts.find((host) => wiredOn(host).includes('switch'));
  const home = made ?? hosts.find(({ nodes }) => nodes.includes('node1'));
  if (!home) throw new TypeError('no machine holds the switch, or node1');
  const macs = macsOf(hosts, topology);
  noteOthers(hosts, topology, macs, log);
  const reading = { stack: outsideOf(home, log), argv: ['uname', '-r'], kind: 'reading' as const };
  // The switch with all its ports comes up before the cables' other ends: docs/decisions/0005.
  const outputs = await performAll(home, [...stepsOn(home, topology, macs, log), reading]);
  const others = hosts.filter((host) => host !== home);
  await Promise.all(others.map((host) => performAll(host, stepsOn(host, topology, macs, log))));
  if (made) await forwarding(stackOf(home, 'switch', log));
  return { kernel: outputs.at(-1)?.trim() ?? '', macs };
}

interface Step {
  stack: NetworkStack;
  argv: readonly string[];
  kind: 'change' | 'reading';
}

/** The nodes of a machine that the lab wires. */
function wiredOn({ nodes, own, foreign }: Host): readonly NodeName[] {
  return foreign ? nodes.filter((name) => name !== own) : nodes;
}

function outsideOf({ session, own }: Host, log: CommandLog): NetworkStack {
  return new NetworkStack(own ?? 'machine', session, log);
}

function stackOf({ session, own }: Host, name: NodeName, log: CommandLog): NetworkStack {
  return new NetworkStack(name, session, log, name === own ? undefined : name);
}

/** MAC addresses of the uplinks: those of the NICs, and random ones for the ends of veth pairs. */
function macsOf(hosts: readonly Host[], { nodes }: Topology): WiringResult['macs'] {
  const cards = hosts.flatMap((host) => host.cards);
  const uplinks = nodes.filter((name) => name !== 'switch');
  return new Map(uplinks.map((name) => [name, cards.find(({ node }) => node === name)?.mac ?? randomMac()]));
}

/** All steps on one machine, in order. */
function stepsOn(host: Host, topology: Topology, macs: WiringResult['macs'], log: CommandLog): Step[] {
  const nodes = wiredOn(host);
  const holds = (cable: Cable) => nodes.includes(cable.from.node) && nodes.includes(cable.to.node);
  const veths = topology.cables.filter(holds).map((cable) => cableLine(cable, topology, macs, host.own));
  const others = nodes.filter((name) => name !== 'switch');
  noteCables(host, topology, macs, log);
  const inside = (name: NodeName, argv: string[]) => ({ stack: stackOf(host, name, log), argv });
  const steps = [
    ...(veths.length > 0 ? [{ stack: outsideOf(host, log), argv: ipBatch(veths) }] : []),
    ...host.cards
      .filter(({ node }) => nodes.includes(node))
      .map(({ node, interface: name, mac }) => inside(node, nameCard(mac, name))),
    ...(nodes.includes('switch') ? [inside('switch', ipBatch(bridgeLines(topology), quietScript(false)))] : []),
    ...others.map((name) => inside(name, ipBatch(upLines(name, topology), quietScript(name === 'router')))),
  ];
  return steps.map((step) => ({ ...step, kind: 'change' }));
}

/** Writes the cables from other machines into the log, as the commands that would replace them on one machine. */
function noteCables(host: Host, topology: Topology, macs: WiringResult['macs'], log: CommandLog): void {
  if (!wiredOn(host).includes('switch')) return;
  const foreign = topology.cables.filter(({ from }) => !host.nodes.includes(from.node));
  const machine = new NetworkStack('machine', host.session, log);
  for (const cable of foreign) machine.note(['ip', ...cableLine(cable, topology, macs).split(' ')], 'cable');
}

/** Writes the external parts into the log, as the commands that would replace them on one machine: nodes, the switch, and their cables. */
function noteOthers(hosts: readonly Host[], topology: Topology, macs: WiringResult['macs'], log: CommandLog): void {
  const [first] = hosts;
  const ours = new Set(hosts.flatMap(wiredOn));
  const others = topology.nodes.filter((name) => !ours.has(name));
  if (!first || others.length === 0) return;
  const stack = (name: string) => new NetworkStack(name, first.session, log);
  const cables = topology.cables.filter(({ from, to }) => !ours.has(from.node) || !ours.has(to.node));
  for (const cable of cables) stack('machine').note(['ip', ...cableLine(cable, topology, macs).split(' ')], 'cable');
  for (const name of others) {
    const lines = name === 'switch' ? bridgeLines(topology) : upLines(name, topology);
    stack(name).note(ipBatch(lines), 'likeness');
  }
}

/**
 * A command that names the NIC with a MAC address. No other program names it: there is no udev in a guest. It looks the
 * NIC up with ip(8), because /sys may be that of another network namespace.
 */
function nameCard(mac: string, name: string): string[] {
  const script = [
    'line=$(ip -o link show | grep -i -m 1 "link/ether $1 ") || { echo "no network card has the address $1" >&2; exit 1; }',
    'set -- $line "$2"',
    'card=${2%:}; card=${card%@*}',
    'for name; do :; done',
    '[ "$card" = "$name" ] || exec ip link set dev "$card" name "$name"',
  ].join('\n');
  return ['sh', '-c', script, 'sh', mac, name];
}

async function performAll({ session }: Host, steps: readonly Step[]): Promise<string[]> {
  const entries = steps.map(({ stack, argv, kind }) => stack.note(argv, kind));
  const results = await session.batch(steps.map(({ stack, argv }) => ({ argv: stack.enter(argv) })));
  for (const [index, result] of results.entries()) {
    const [step, entry] = [steps[index], entries[index]];
    if (entry) step?.stack.log.end(entry, result);
    if (result.status === 0) continue;
    throw new MacvlabError('LAB_OPEN', `${step?.stack.name} could not be wired: ${result.stderr.trim()}`, {
      evidence: step?.argv.join('\n'),
      next: 'run `macvlab doctor`, which tries each kind of link that a lab needs',
    });
  }
  return results.map(({ stdout }) => stdout);
}

/** A command that runs lines in one `ip -batch`, after the script `before`. */
function ipBatch(lines: readonly string[], before = ''): string[] {
  return ['sh', '-c', `${before}\nprintf '%s\\n' "$@" | ip -batch -`.trim(), 'ip', ...lines];
}

/** @param own the node that is the machine itself, not a namespace */
function cableLine({ from, to }: Cable, { cables }: Topology, macs: WiringResult['macs'], own?: NodeName): string {
  const home = (node: NodeName) => (node === own ? [] : ['netns', node]);
  const index = firstIndex + cables.findIndex((cable) => cable.from.node === from.node);
  return [
    ...['link', 'add', 'name', to.interface, 'index', index, ...home(to.node), 'type', 'veth'],
    ...['peer', 'name', from.interface, ...home(from.node), 'address', macs.get(from.node)],
  ].join(' ');
}

function upLines(name: NodeName, topology: Topology): string[] {
  return ['lo', ...interfacesOf(name, topology)].map((device) => `link set dev ${device} up`);
}

function interfacesOf(node: NodeName, { cables }: Topology): string[] {
  const ends = cables.flatMap(({ from, to }) => [from, to]);
  return ends.filter((end) => end.node === node).map((end) => end.interface);
}

/** Waits until every port of a switch forwards. The kernel allows that only after it has detected the cable's carrier. */
async function forwarding(stack: NetworkStack): Promise<void> {
  let states = '';
  const look = async () => {
    const ports = await readBridgePorts(stack);
    states = ports.map(({ ifname, state }) => `${ifname} ${state}`).join('\n');
    return (ports.length > 0 && ports.every(({ state }) => state === 'forwarding')) || undefined;
  };
  const deadline = stack.timeout(10_000);
  await poll(look, { what: 'all ports of the switch to forward', deadline, evidence: () => states });
}

/** A simple switch: no spanning tree, which would block for 30 s, no multicast snooping, no IPv6 of its own. */
function bridgeLines(topology: Topology): string[] {
  const { bridge } = topology;
  const ports = interfacesOf('switch', topology);
  return [
    `link add name ${bridge} type bridge stp_state 0 mcast_snooping 0`,
    `link set dev ${bridge} addrgenmode none`,
    ...ports.map((port) => `link set dev ${port} addrgenmode none`),
    ...ports.map((port) => `link set dev ${port} master ${bridge}`),
    `link set dev ${bridge} up`,
    ...ports.map((port) => `link set dev ${port} up`),
  ];
}

/** Gives a new namespace the settings of {@link quietScript}. */
export function quietNamespace(stack: NetworkStack): Change {
  return { stack, what: 'settings as the kernel ships them', command: ['sh', '-c', quietScript(false)] };
}

/**
 * Settings of a namespace that differ between hosts and would change results. There is no reverse path filter, IPv6
 * autoconfiguration or duplicate address detection; ARP has the kernel's defaults
 * (Documentation/networking/ip-sysctl.rst).
 */
function quietScript(forwarding: boolean): string {
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
  return ['set -e', 'cd /proc/sys/net', ...writes].join('\n');
}
