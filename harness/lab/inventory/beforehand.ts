/** What is told of an inventory lab before any host is asked: what it will do there, and what a rehearsal of it needs to know. */
import { quoteCommand } from '../../remote/quote.js';
import { articleNetworks } from '../article-networks.js';
import { lifeline, lifelineScript } from '../lifeline.js';
import type { Beforehand } from '../rehearsal.js';
import type { NodeName, Topology } from '../topology.js';
import type { Inventory } from './inventory-file.js';
import { type HostAddress, placeOf } from './machine.js';
import { hostScript } from './reach.js';
import { wayTo } from './ssh-command.js';

export interface BeforehandOptions {
  network: Topology;
  macRange: string;
  /** Nodes that are made on the third machine. */
  behindThird: readonly NodeName[];
  allowCut: boolean;
}

/** All that is known without asking a host. */
export function beforehandOf(inventory: Inventory, options: BeforehandOptions): Beforehand {
  const { machines, addresses, switch: known } = inventory;
  return {
    statement: statementOf(inventory, options),
    preparation: preparationOf(inventory, options),
    rehearsed: {
      network: options.network,
      premises: { own: ['node1', 'node2'], switch: known, ...(addresses && { addresses }) },
      uplinks: { node1: machines.node1.nic, node2: machines.node2.nic },
    },
  };
}

function statementOf(inventory: Inventory, { macRange, allowCut }: BeforehandOptions): string[] {
  const { file, machines, addresses } = inventory;
  const { node1, node2, router } = machines;
  const own = ['node1', 'node2'].map((name, index) => {
    const { address, nic } = index === 0 ? node1 : node2;
    return `  ${name}   ${placeOf(address)}: its own network, where ${nic} gets addresses, routes, VLANs and macvlan children, and is set promiscuous`;
  });
  return [
    `experiments on the hosts of ${file}, where all that is changed is undone, noted beforehand, and compared in the end:`,
    ...own,
    router
      ? `  router  ${placeOf(router.address)}: a namespace of the lab’s, with a macvlan child of ${router.nic}`
      : '  router  none: what needs one is skipped',
    `  switch  ${switchIn(inventory)}`,
    `  addresses     ${addresses ? `${addresses.join(', ')}; what needs others is skipped` : `those of the articles: ${articleNetworks.join(', ')}`}`,
    '                (each is asked for by arping -D before it is used; it is an error when somebody answers)',
    `  MAC addresses ${macRange}:*:*, but for those of the cards`,
    `  uplinks       ${allowCut ? 'taken down' : 'taken down where they do not carry the SSH connection'}, in A4.9 alone; in A4.8 their address is taken over`,
    '  containers    no engine is run on hosts: what needs one is skipped',
  ];
}

function switchIn({ switch: { driver, hairpin, vlans, native }, bridge }: Inventory): string {
  const reflects = ['node1', 'node2'].map((node) => {
    const state = hairpin[node as NodeName];
    return `${node} ${state === undefined ? 'unknown' : state ? 'on' : 'off'}`;
  });
  const carried = vlans
    ? `VLANs ${vlans.join(', ')}${native === undefined ? '' : `, native ${native}`}`
    : 'VLANs unknown';
  if (!driver)
    return `not touched (hairpin ${reflects.join(', ')}; ${carried}); what depends on another state is skipped`;
  if ('command' in driver)
    return `hairpin set by ${quoteCommand(driver.command)} (now ${reflects.join(', ')}; ${carried})`;
  const ports = Object.values(driver.bridge.ports).join(', ');
  return `${bridge ? placeOf(bridge) : ''}: hairpin and VLANs of ${ports} in ${driver.bridge.device} are set`;
}

/** Stand for what is made for each lab, and told to nobody. */
const keys = {
  host: { private: '(a host key, made for the lab)', public: '(its public half)' },
  user: { private: '(a user key, made for the lab)', public: '(the public half of a user key, made for the lab)' },
};

function preparationOf(
  inventory: Inventory,
  { network, behindThird, macRange }: BeforehandOptions,
): Beforehand['preparation'] {
  const { machines, bridge } = inventory;
  const { node1, node2, router } = machines;
  const uplink = network.cables.find(({ from }) => from.node === 'router')?.from.interface ?? '';
  const child = router && [
    ...behindThird.flatMap((name) => [`ip netns add ${name}`, `ip -n ${name} link set dev lo up`]),
    `ip link add link ${router.nic} netns router name ${uplink} address ${macRange}:ff:01 type macvlan mode bridge`,
  ];
  return [
    { machine: `node1 (${placeOf(node1.address)})`, lines: [reaching(node1.address), ...script(node1.address)] },
    { machine: `node2 (${placeOf(node2.address)})`, lines: [reaching(node2.address), likewise] },
    ...(router && child
      ? [{ machine: `router (${placeOf(router.address)})`, lines: [reaching(router.address), likewise, ...child] }]
      : []),
    ...(bridge ? [{ machine: `switch (${placeOf(bridge)})`, lines: [reaching(bridge), likewise] }] : []),
  ];
}

const likewise = 'which performs the same script as on node1';

/** The command that holds the lab on a host. */
function reaching(address: HostAddress): string {
  const { options, destination, asRoot } = wayTo(address);
  return `$ ${quoteCommand(['ssh', ...options, '-T', destination, '--', quoteCommand([...asRoot, ...lifeline()])])}`;
}

/** What it performs there: in mounts and process ids of its own, and in the host's own network. */
function script(address: HostAddress): string[] {
  const lines = lifelineScript(hostScript(address, { keys })).trimEnd().split('\n');
  return ['which performs, in namespaces of its own:', ...lines];
}
