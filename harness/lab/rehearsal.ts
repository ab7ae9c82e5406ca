/**
 * A lab of this machine in the place of one on somebody else's hosts: with as many nodes, the same names of interfaces, the same switch
 * that nobody can look into or set. What is performed in it shows which commands the hosts would be given.
 */
import type { Session } from '../remote/session.js';
import type { LabDriver, Premises } from './driver.js';
import { type NodeName, type Topology, variantOf } from './topology.js';

/** What is rehearsed. */
export interface Rehearsed {
  network: Topology;
  premises: Omit<Premises, 'macRange' | 'taken'>;
  uplinks: Partial<Record<NodeName, string>>;
}

/** What is told of a lab on somebody else's machines before any of them is asked. */
export interface Beforehand {
  /** What it will do there, in a few lines. */
  statement: readonly string[];
  /** What is done on each machine before there are nodes on it. */
  preparation: readonly { machine: string; lines: readonly string[] }[];
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

/** A command of the owner's would set the owner's switch: here, the bridge that stands for it. */
function setHere({ driver, ...known }: Premises['switch'], bridge: Session | undefined): Premises['switch'] {
  if (!driver || 'bridge' in driver) return { ...known, ...(driver && { driver }) };
  const instead = async (port: NodeName, on: boolean) => {
    await bridge?.run(['bridge', 'link', 'set', 'dev', port, 'hairpin', on ? 'on' : 'off']);
  };
  return { ...known, driver: { ...driver, instead } };
}
