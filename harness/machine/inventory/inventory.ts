/**
 * The inventory lab driver: node1 and node2 are real hosts with their own network stacks, connected by the user's
 * switch. The lab creates everything there in namespaces that end with its connection. The guard records, undoes and
 * verifies its changes to the hosts' own networks (host-guard.ts).
 */
import { randomBytes } from 'node:crypto';
import { newKeyPair } from '../../remote/keys.js';
import { articleNetworks } from '../../address-plan/article-networks.js';
import { measuredClocks } from '../clocks.js';
import { type ExternalMachines, type Host, type LabDriver, type NodeSessions, noKernelLog } from '../driver.js';
import type { ExternalEnvironment } from '../external-environment.js';
import { type LabKeys, sshdCommand } from '../../remote/sshd.js';
import { type NodeName, topology, type Topology, variantOf } from '../topology.js';
import { preflightOf } from './preflight.js';
import { checkInventory } from './check.js';
import { type Found, reachAll } from './find-hosts.js';
import { type OnWire } from './nic.js';
import { type GuardedHost, guardHosts } from './restore/host-guard.js';
import { type Inventory, readInventory } from './file/inventory-file.js';
import { reachToRestore } from './restore/leftovers.js';
import { type HostAddress, placeOf } from './file/machine.js';
import type { ReachedHost } from './reach/reach.js';
import { restoreBeforehand } from './restore/restore.js';
import { addRouterUplink } from './router-uplink.js';

/** Milliseconds (`Machines.lateness`): the delay between two frames from a NIC's queues, a link aggregation and a busy switch. */
const lateness = 1000;

export interface InventoryOptions {
  /** The inventory’s file; by default `inventory.yaml` in the current folder. */
  file?: string;
  /** Whether experiments may cut the connection over which a host is reached. */
  allowDisconnect?: boolean;
  /** Receives progress messages. */
  remark?: (line: string) => void;
}

/** Creates the driver; contacts no host yet. @throws MacvlabError USAGE if the inventory is not usable */
export function inventoryDriver({
  file,
  allowDisconnect = false,
  remark = () => undefined,
}: InventoryOptions): LabDriver {
  const inventory = readInventory(file);
  const network = networkOf(inventory);
  const macRange = `02:6d:${pairs(randomBytes(2))}`;
  return {
    name: 'inventory',
    labs: 1,
    topology: network,
    preflight: preflightOf(inventory, { network, macRange, behindThird, allowDisconnect }),
    check: (options) => checkInventory(inventory, options),
    open: (_, wire) => openLab(inventory, { allowDisconnect, network, macRange, remark }, wire),
  };
}

/** The part of the articles’ network for which the inventory has hosts. */
function networkOf({ machines: { node1, node2, router }, switch: { driver } }: Inventory): Topology {
  const there = new Set<NodeName>(['node1', 'node2', 'switch', ...(router ? behindThird : [])]);
  const bridge = driver && 'bridge' in driver ? driver.bridge : undefined;
  return variantOf(topology, (name) => there.has(name), { node1: node1.nic, node2: node2.nic }, bridge);
}

/** The nodes on the third machine, each in a network namespace. */
const behindThird = ['router', 'client'] as const satisfies readonly NodeName[];

interface Opening extends Required<Pick<InventoryOptions, 'allowDisconnect' | 'remark'>> {
  network: Topology;
  macRange: string;
}

async function openLab(
  inventory: Inventory,
  { allowDisconnect, network, macRange, remark }: Opening,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<ExternalMachines> {
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
    const guard = await guardHosts(guarded(found), { allowDisconnect, macRange, networks });
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
      external: environmentOf(inventory, found, { macRange, allowDisconnect }),
      ssh: { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public },
      snapshots: guard.snapshots,
      ...(await measuredClocks(hosts, nodes)),
      kernelLog: noKernelLog,
      lateness,
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

function environmentOf(
  { addresses, switch: known }: Inventory,
  { node1, node2, router }: Found,
  { macRange, allowDisconnect }: { macRange: string; allowDisconnect: boolean },
): ExternalEnvironment {
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
  const allow = '--allow-disconnect performs it all the same, with a rollback on the host itself';
  const uncuttable = allowDisconnect || carrying === undefined ? undefined : `${carrying}: ${allow}`;
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

/** The message that a host's NIC carries the SSH connection to it; undefined if it does not. */
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
