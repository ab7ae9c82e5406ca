/**
 * A lab of this machine in the place of one on somebody else's hosts: with as many nodes, the same names of interfaces, the same switch
 * that nobody can look into or set. What is performed in it shows which commands the hosts would be given.
 */
import { MacvlabError } from '../core/error.js';
import { setDefaultVlan, setPortVlans, setVlanFiltering } from '../link/bridge-vlan.js';
import { apply } from '../link/change.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import type { LabDriver, Premises } from './driver.js';
import { type NodeName, type Topology, variantOf } from './topology.js';

/** What is rehearsed. */
export interface Rehearsed {
  network: Topology;
  premises: Omit<Premises, 'macRange' | 'taken'>;
  uplinks: Partial<Record<NodeName, string>>;
}

/** What is done on a machine. */
export interface Preparation {
  machine: string;
  lines: readonly string[];
  /** Commands and scripts in full, for who wants to read them. */
  details: readonly string[];
}

/** What is told of a lab on somebody else's machines before any of them is asked. */
export interface Beforehand {
  /** What it will do there, in a few lines. @param ids of the chosen experiments: only what they use is told */
  statement: (ids: readonly string[]) => string[];
  /** What is done on each machine before there are nodes on it. */
  preparation: readonly Preparation[];
  rehearsed: Rehearsed;
}

/** Stands for what a run draws by lot. */
const rehearsedMacRange = '02:6d:00:00';

/** A driver whose labs are of another's making, and look like those that are rehearsed. */
export function rehearsalOf(driver: LabDriver, { network, premises, uplinks }: Rehearsed): LabDriver {
  const { driver: set } = premises.switch;
  const bridge = set && 'bridge' in set ? set.bridge : undefined;
  const topology = variantOf(network, () => true, uplinks, bridge);
  return {
    ...driver,
    topology,
    async open(_, wire) {
      const machines = await driver.open(topology, wire);
      const there = Object.entries(machines.nodes).filter(
        ([name]) => topology.nodes.some((node) => node === name) && (bridge || name !== 'switch'),
      );
      if (!bridge) await tellVlansApart(machines.nodes.switch, premises.switch, topology);
      const { node1, node2 } = machines.nodes;
      const { engines: _engines, ...others } = machines;
      return {
        ...others,
        nodes: { ...Object.fromEntries(there), node1, node2 },
        uplinks,
        premises: {
          ...premises,
          switch: setHere(premises.switch, machines.nodes.switch),
          macRange: rehearsedMacRange,
          alone: true,
        },
      };
    },
  };
}

/** Lets the switch that stands for the owner's carry the VLANs that the owner has told of. */
async function tellVlansApart(
  session: Session | undefined,
  { vlans, native }: Premises['switch'],
  { bridge, cables }: Topology,
): Promise<void> {
  if (!session || !vlans) return;
  const stack = new NetworkStack('switch', session, new CommandLog());
  const carried = [
    ...(native === undefined ? [] : [{ id: native, pvid: true, untagged: true }]),
    ...vlans.filter((id) => id !== native).map((id) => ({ id, pvid: false, untagged: false })),
  ];
  const ports = cables.filter(({ to }) => to.node === 'switch').map(({ to }) => to.interface);
  try {
    await apply([setDefaultVlan(stack, bridge, 0), setVlanFiltering(stack, bridge, true)]);
  } catch (error) {
    // Where the kernel cannot do that, a more costly lab rehearses what is about VLANs.
    if (error instanceof MacvlabError && ['LINK_IGNORED', 'LINK_UNSUPPORTED'].includes(error.code)) return;
    throw error;
  }
  await apply(ports.map((port) => setPortVlans(stack, port, carried)));
}

/** A command of the owner's would set the owner's switch: here, the bridge that stands for it. */
function setHere({ driver, ...known }: Premises['switch'], bridge: Session | undefined): Premises['switch'] {
  if (!driver || 'bridge' in driver) return { ...known, ...(driver && { driver }) };
  const instead = async (port: NodeName, on: boolean) => {
    await bridge?.run(['bridge', 'link', 'set', 'dev', port, 'hairpin', on ? 'on' : 'off']);
  };
  return { ...known, driver: { ...driver, instead } };
}
