/** Wiring a lab's nodes where one machine holds them all as network namespaces. Only talks to machines over SSH. */
import { randomBytes } from 'node:crypto';
import { MacvlabError } from '../core/error.js';
import { patience, poll } from '../core/wait.js';
import { readBridgePorts } from '../link/bridge-port.js';
import type { Change } from '../link/change.js';
import type { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import type { NodeName, Topology } from './topology.js';

/**
 * Interface indexes of the switch's (and the router's inner) ends, set apart from those that the kernel counts from 1 in
 * every namespace: where both ends of a veth pair have the same index, the kernel does not see that it is linked, and
 * reports its carrier up to a second late (link_watch.c, linkwatch_urgent_event).
 */
const firstIndex = 101;

/** What is known of a lab once it is wired. */
export interface Wired {
  /** Kernel release of the machine. */
  kernel: string;
  /** MAC address of each node's uplink. */
  macs: ReadonlyMap<NodeName, string>;
}

/**
 * Lays the cables, sets all interfaces up and waits until the switch forwards on every port: all in one round trip.
 * @param machine a session that sees the nodes' namespaces
 * @throws MacvlabError LAB_OPEN with the kernel's words
 */
export async function wireNamespaces(machine: Session, topology: Topology, log: CommandLog): Promise<Wired> {
  const outside = new NetworkStack('machine', machine, log);
  const inside = (name: NodeName) => new NetworkStack(name, machine, log, name);
  const hosts = topology.nodes.filter((name) => name !== 'switch');
  const macs = new Map(hosts.map((name) => [name, randomMac()]));
  // The switch with all its ports comes up before the cables' other ends: docs/decisions/0005.
  const changes = [
    { stack: outside, argv: ipBatch(cableLines(topology, macs)) },
    { stack: inside('switch'), argv: ipBatch(bridgeLines(topology), quietScript(false)) },
    ...hosts.map((name) => ({
      stack: inside(name),
      argv: ipBatch(upLines(name, topology), quietScript(name === 'router')),
    })),
  ].map((step) => ({ ...step, kind: 'change' as const }));
  const reading = { stack: outside, argv: ['uname', '-r'], kind: 'reading' as const };
  const outputs = await performAll(machine, [...changes, reading]);
  await forwarding(inside('switch'));
  return { kernel: outputs.at(-1)?.trim() ?? '', macs };
}

interface Step {
  stack: NetworkStack;
  argv: readonly string[];
  kind: 'change' | 'reading';
}

async function performAll(machine: Session, steps: readonly Step[]): Promise<string[]> {
  const entries = steps.map(({ stack, argv, kind }) => stack.note(argv, kind));
  const results = await machine.batch(steps.map(({ stack, argv }) => ({ argv: stack.enter(argv) })));
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

/** A command that runs lines by one `ip -batch`, behind a script of the shell's own. */
function ipBatch(lines: readonly string[], before = ''): string[] {
  return ['sh', '-c', `${before}\nprintf '%s\\n' "$@" | ip -batch -`.trim(), 'ip', ...lines];
}

function cableLines({ cables }: Topology, macs: Wired['macs']): string[] {
  return cables.map(
    ({ from, to }, position) =>
      `link add name ${to.interface} index ${firstIndex + position} netns ${to.node} type veth peer name ${from.interface} netns ${from.node} address ${macs.get(from.node)}`,
  );
}

/** A unicast, locally administered MAC address: no two labs' are the same. */
function randomMac(): string {
  return ['02', ...(randomBytes(5).toString('hex').match(/../g) ?? [])].join(':');
}

function upLines(name: NodeName, topology: Topology): string[] {
  return ['lo', ...interfacesOf(name, topology)].map((device) => `link set dev ${device} up`);
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

/** Gives a new namespace the settings that {@link quietScript} is about. */
export function quietNamespace(stack: NetworkStack): Change {
  return { stack, what: 'settings as the kernel ships them', command: ['sh', '-c', quietScript(false)] };
}

/**
 * Settings of a namespace that hosts differ in and that would change results: no reverse path filter, ARP as the kernel
 * ships it, no IPv6 autoconfiguration and no duplicate address detection (Documentation/networking/ip-sysctl.rst).
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
