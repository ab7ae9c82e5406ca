/** The preflight of an inventory lab, before macvlab contacts any host: the planned changes, and the topology of a dry run. */
import { quoteCommand } from '../../remote/quote.js';
import { planOf } from '../../address-plan/article-networks.js';
import { tether, tetherScript } from '../../remote/tether.js';
import type { Preflight } from '../preflight.js';
import type { Preparation } from '../preflight.js';
import type { NodeName, Topology } from '../topology.js';
import type { Inventory } from './file/inventory-file.js';
import { type HostAddress, placeOf } from './file/machine.js';
import { hostScript } from './reach/reach.js';
import { refusals, type Room, roomFor } from './room.js';
import { wayTo } from './reach/ssh-command.js';

export interface PreflightOptions {
  network: Topology;
  macRange: string;
  /** Nodes to create on the third machine. */
  behindThird: readonly NodeName[];
  allowDisconnect: boolean;
}

/** Everything that needs no contact with a host. */
export function preflightOf(inventory: Inventory, options: PreflightOptions): Preflight {
  const { machines, addresses, switch: known } = inventory;
  return {
    statement: (ids) => statementOf(inventory, options, ids),
    preparation: preparationOf(inventory, options),
    dryRun: {
      network: options.network,
      external: { own: ['node1', 'node2'], switch: known, ...(addresses && { addresses }) },
      uplinks: { node1: machines.node1.nic, node2: machines.node2.nic },
    },
  };
}

function statementOf(
  inventory: Inventory,
  { macRange, allowDisconnect }: PreflightOptions,
  ids: readonly string[],
): string[] {
  const { file, machines, addresses } = inventory;
  const { node1, node2, router } = machines;
  const rooms = roomFor(addresses, [], ids);
  const vlans = rooms.some(({ plan }) => plan.networks.length > mostWithoutVlans);
  const gets = `addresses, routes${vlans ? ', VLANs' : ''} and macvlan children`;
  const own = ['node1', 'node2'].map((name, index) => {
    const { address, nic } = index === 0 ? node1 : node2;
    return `  ${name}   ${placeOf(address)}: its own network, where ${nic} gets ${gets}, and is set promiscuous`;
  });
  const cut = ids.filter((id) => id === 'A4.8' || id === 'A4.9');
  return [
    `experiments on the hosts of ${file}, where all that is changed is undone, noted beforehand, and compared in the end:`,
    ...own,
    router
      ? `  router  ${placeOf(router.address)}: a namespace of the lab’s, with a macvlan child of ${router.nic}`
      : '  router  none: what needs one is skipped',
    `  switch  ${switchIn(inventory, vlans)}`,
    ...addressLines(rooms),
    '                (each is asked for by arping -D before it is used; it is an error when somebody answers)',
    `  MAC addresses ${macRange}:*:*, but for those of the cards`,
    ...(cut.length > 0
      ? [
          `  uplinks       ${allowDisconnect ? 'taken down' : 'taken down where they do not carry the SSH connection'}, in A4.9 alone; in A4.8 their address is taken over`,
        ]
      : []),
    ...(ids.some((id) => planOf(id) === undefined)
      ? ['  containers    no engine is run on hosts: what needs one is skipped']
      : []),
  ];
}

/** Only plans with VLANs have more networks than this. */
const mostWithoutVlans = 2;

/** "  addresses     10.88.0.0/28 in the place of 10.211.55.0/24 (A1)", and the plans without room. */
function addressLines(rooms: readonly Room[]): string[] {
  const nets = rooms
    .filter(({ why }) => why === undefined)
    .flatMap(({ plan, places }) =>
      plan.networks.map(({ network }) => {
        const real = places[network] ?? network;
        const words = real === network ? network : `${real} in the place of ${network}`;
        return { words, ids: plan.experiments };
      }),
    );
  const distinct = [...new Set(nets.map(({ words }) => words))];
  const lines = distinct.map((words) => {
    const ids = nets.filter((each) => each.words === words).flatMap((each) => each.ids);
    return `${words} (${[...new Set(ids)].join(', ')})`;
  });
  return [...lines, ...refusals(rooms)].map(
    (line, index) => `  ${index === 0 ? 'addresses    ' : '             '} ${line}`,
  );
}

function switchIn({ switch: { driver, hairpin, vlans, native }, bridge }: Inventory, aboutVlans: boolean): string {
  const reflects = ['node1', 'node2'].map((node) => {
    const state = hairpin[node as NodeName];
    return `${node} ${state === undefined ? 'unknown' : state ? 'on' : 'off'}`;
  });
  const told = vlans
    ? `; VLANs ${vlans.join(', ')}${native === undefined ? '' : `, native ${native}`}`
    : '; VLANs unknown';
  const carried = aboutVlans ? told : '';
  if (!driver)
    return `not touched (hairpin ${reflects.join(', ')}${carried}); what depends on another state is skipped`;
  if ('command' in driver)
    return `hairpin set by ${quoteCommand(driver.command)} (now ${reflects.join(', ')}${carried})`;
  const ports = Object.values(driver.bridge.ports).join(', ');
  const set = aboutVlans ? 'hairpin and VLANs' : 'hairpin';
  return `${bridge ? placeOf(bridge) : ''}: ${set} of ${ports} in ${driver.bridge.device} are set`;
}

/** Placeholders for the keys that each lab creates and never shows. */
const keys = {
  host: { private: '(a host key, made for the lab)', public: '(its public half)' },
  user: { private: '(a user key, made for the lab)', public: '(the public half of a user key, made for the lab)' },
};

function preparationOf(
  inventory: Inventory,
  { network, behindThird, macRange }: PreflightOptions,
): Preflight['preparation'] {
  const { machines, bridge } = inventory;
  const { node1, node2, router } = machines;
  const uplink = network.cables.find(({ from }) => from.node === 'router')?.from.interface ?? '';
  const child = router && [
    ...behindThird.flatMap((name) => [`ip netns add ${name}`, `ip -n ${name} link set dev lo up`]),
    `ip link add link ${router.nic} netns router name ${uplink} address ${macRange}:ff:01 type macvlan mode bridge`,
  ];
  const on = (name: string, address: HostAddress, lines: readonly string[] = []): Preparation => ({
    machine: `${name} (${placeOf(address)})`,
    lines: [`reached by ssh ${address.host}, where namespaces of the lab’s own begin`, ...lines],
    details: [reaching(address), ...(name === 'node1' ? script(address) : [likewise])],
  });
  return [
    on('node1', node1.address),
    on('node2', node2.address),
    ...(router && child ? [on('router', router.address, child)] : []),
    ...(bridge ? [on('switch', bridge)] : []),
  ];
}

const likewise = 'which performs the same script as on node1';

/** The command that holds the lab on a host. */
function reaching(address: HostAddress): string {
  const { options, destination, asRoot } = wayTo(address);
  return `$ ${quoteCommand(['ssh', ...options, '-T', destination, '--', quoteCommand([...asRoot, ...tether()])])}`;
}

/** The script that it runs there, in its own mount and PID namespaces and in the host's own network. */
function script(address: HostAddress): string[] {
  const lines = tetherScript(hostScript(address, { keys })).trimEnd().split('\n');
  return ['which performs, in namespaces of its own:', ...lines];
}
