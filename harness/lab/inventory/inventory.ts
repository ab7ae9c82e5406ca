/**
 * The inventory lab driver: node1 and node2 are real hosts with their own network stacks, the wire between them is somebody's switch.
 * Whatever the lab makes there is in namespaces that live by a connection of ours; what it changes of the hosts' own is noted, undone
 * and compared (host-guard.ts).
 */
import { randomBytes } from 'node:crypto';
import { newKeyPair } from '../../remote/keys.js';
import { articleNetworks } from '../article-networks.js';
import { setClocks } from '../clocks.js';
import type { Host, LabDriver, Machines, NodeSessions, Premises } from '../driver.js';
import { type LabKeys, sshdCommand } from '../sshd.js';
import { type NodeName, topology, type Topology, variantOf } from '../topology.js';
import { beforehandOf } from './beforehand.js';
import { checkInventory } from './check.js';
import { type Found, type OnWire, reachAll } from './find-hosts.js';
import { type GuardedHost, guardHosts } from './host-guard.js';
import { type Inventory, readInventory } from './inventory-file.js';
import { reachToRestore } from './leftovers.js';
import { type HostAddress, placeOf } from './machine.js';
import type { ReachedHost } from './reach.js';
import { restoreBeforehand } from './restore.js';
import { addRouterUplink } from './router-uplink.js';

/** Milliseconds (`Machines.lateness`): what a card's queues, a bundle of cables and a busy switch may put between two frames. */
const lateness = 1000;

export interface InventoryOptions {
  /** The inventory’s file; by default `inventory.yaml` of the current folder. */
  file?: string;
  /** Whether experiments may cut the connection over which a host is reached. */
  allowCut?: boolean;
  /** Told what is waited for. */
  remark?: (line: string) => void;
}

/** The driver. @throws MacvlabError USAGE when the inventory cannot be used; no host is asked yet */
export function inventoryDriver({ file, allowCut = false, remark = () => undefined }: InventoryOptions): LabDriver {
  const inventory = readInventory(file);
  const network = networkOf(inventory);
  const macRange = `02:6d:${pairs(randomBytes(2))}`;
  return {
    name: 'inventory',
    labs: 1,
    topology: network,
    beforehand: beforehandOf(inventory, { network, macRange, behindThird, allowCut }),
    check: (options) => checkInventory(inventory, options),
    open: (_, wire) => openLab(inventory, { allowCut, network, macRange, remark }, wire),
  };
}

/** The articles’ network, as far as the inventory has hosts for it. */
function networkOf({ machines: { node1, node2, router }, switch: { driver } }: Inventory): Topology {
  const there = new Set<NodeName>(['node1', 'node2', 'switch', ...(router ? behindThird : [])]);
  const bridge = driver && 'bridge' in driver ? driver.bridge : undefined;
  return variantOf(topology, (name) => there.has(name), { node1: node1.nic, node2: node2.nic }, bridge);
}

/** The nodes on the third machine, each a namespace. */
const behindThird = ['router', 'client'] as const satisfies readonly NodeName[];

interface Opening extends Required<Pick<InventoryOptions, 'allowCut' | 'remark'>> {
  network: Topology;
  macRange: string;
}

async function openLab(
  inventory: Inventory,
  { allowCut, network, macRange, remark }: Opening,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const reached: ReachedHost[] = [];
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    try {
      for (const end of closing.splice(0).reverse()) await end();
    } finally {
      await Promise.all(reached.map((host) => host.close()));
    }
  };
  try {
    remark(`reaching ${addressesIn(inventory).map(placeOf).join(', ')} …`);
    await restoreBeforehand(addressesIn(inventory), reachToRestore);
    const found = await reachAll(inventory, { keys, reached, behindThird });
    const networks = inventory.addresses ?? articleNetworks;
    const guard = await guardHosts(guarded(found), { allowCut, macRange, networks });
    closing.push(() => guard.end());
    const { node1, node2, router, bridge } = found;
    const nodes: NodeSessions = {
      node1: node1.host.session,
      node2: node2.host.session,
      ...(bridge && { switch: bridge.session }),
    };
    const hosts: Host[] = [hostOf('node1', node1), hostOf('node2', node2)];
    if (router) {
      const mac = `${macRange}:ff:01`;
      const uplink = uplinkIn(network, 'router');
      await addRouterUplink(router, { uplink, mac });
      const [inRouter, inClient] = await Promise.all(behindThird.map((node) => router.host.connect(node, node)));
      Object.assign(nodes, { router: inRouter, client: inClient });
      hosts.push({
        session: router.host.session,
        nodes: behindThird,
        cards: [{ node: 'router', interface: uplink, mac }],
      });
    }
    if (bridge) hosts.push({ session: bridge.session, nodes: ['switch'], own: 'switch', foreign: true, cards: [] });
    await wire(hosts);
    return {
      machine: nodes.node1,
      nodes,
      uplinks: { node1: node1.nic.name, node2: node2.nic.name },
      premises: premisesOf(inventory, found, { macRange, allowCut }),
      ssh: { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public },
      snapshots: guard.snapshots,
      roundTrip: await setClocks(hosts, nodes),
      lateness,
      setClocks: async () => {
        await setClocks(hosts, nodes);
      },
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

function addressesIn({ machines: { node1, node2, router }, bridge }: Inventory): HostAddress[] {
  return [node1.address, node2.address, ...(router ? [router.address] : []), ...(bridge ? [bridge] : [])];
}

function hostOf(node: 'node1' | 'node2', { host, nic }: OnWire): Host {
  const card = { node, interface: nic.name, mac: nic.mac };
  return { session: host.session, nodes: [node], own: node, foreign: true, cards: [card] };
}

function guarded({ node1, node2, router, bridge }: Found): GuardedHost[] {
  return [
    { reached: node1.host, own: 'node1', nic: node1.nic.name },
    { reached: node2.host, own: 'node2', nic: node2.nic.name },
    ...(router ? [{ reached: router.host, own: undefined, nic: router.nic.name }] : []),
    ...(bridge ? [{ reached: bridge, own: 'switch' as const, nic: undefined }] : []),
  ];
}

function premisesOf(
  { addresses, switch: known }: Inventory,
  { node1, node2, router }: Found,
  { macRange, allowCut }: { macRange: string; allowCut: boolean },
): Premises {
  const reached = [node1, node2, router].flatMap((each) => each?.host ?? []);
  const hosts = reached.map(({ name, address }) => [name, placeOf(address)] as const);
  const taken = reached.flatMap(({ name, connection }) => {
    if (!connection) return [];
    const network = connection.from.split('%')[0] ?? '';
    return [
      { network: `${network}/${network.includes(':') ? 128 : 32}`, by: `${name} is reached over SSH from there` },
    ];
  });
  const carrying = carriesSession(node1);
  const allow = '--allow-cut performs it all the same, with a rollback on the host itself';
  const uncuttable = allowCut || carrying === undefined ? undefined : `${carrying}: ${allow}`;
  const sessions = Object.entries({ node1, node2 }).flatMap(([node, host]) => {
    const why = carriesSession(host);
    return why === undefined ? [] : [[node, why] as const];
  });
  return {
    own: ['node1', 'node2'],
    hosts: Object.fromEntries(hosts),
    switch: known,
    ...(addresses && { addresses }),
    taken,
    macRange,
    sessions: Object.fromEntries(sessions),
    ...(uncuttable !== undefined && { uncuttable }),
  };
}

/** That a host's card carries the connection by which we reach it, in words; undefined when it does not. */
function carriesSession({ host, nic }: OnWire): string | undefined {
  if (nic.carriesSsh === false) return undefined;
  return nic.carriesSsh
    ? `${nic.name} of ${host.name} carries the SSH connection with it`
    : `whether ${nic.name} of ${host.name} carries the SSH connection with it is not known`;
}

function uplinkIn({ cables }: Topology, node: NodeName): string {
  return cables.find(({ from }) => from.node === node)?.from.interface ?? '';
}

/** "1a:2b" */
function pairs(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
