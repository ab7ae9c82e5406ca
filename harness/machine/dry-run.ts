/**
 * A dry run of a lab on external hosts, in a lab on this machine. It has as many nodes, the same interface names, and
 * the same kind of switch: one that macvlab can neither inspect nor configure. The commands of a dry run are the
 * commands that the hosts would get.
 */
import { MacvlabError } from '../core/error.js';
import { setDefaultVlan, setPortVlans, setVlanFiltering } from '../link/bridge-vlan.js';
import { apply } from '../link/change.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import type { DryRunTopology } from './preflight.js';
import type { LabDriver } from './driver.js';
import type { ExternalEnvironment } from './external-environment.js';
import { type NodeName, type Topology, variantOf } from './topology.js';

/** Replaces the random MAC range of a real run. */
const dryRunMacRange = '02:6d:00:00';

/** A driver that creates another driver's labs with the topology of a dry run. */
export function dryRunOf(driver: LabDriver, { network, external, uplinks }: DryRunTopology): LabDriver {
  const { driver: set } = external.switch;
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
      if (!bridge) await tellVlansApart(machines.nodes.switch, external.switch, topology);
      const { node1, node2 } = machines.nodes;
      const { machine, ssh, roundTrip, kernelLog } = machines;
      return {
        ...{ machine, ssh, roundTrip, kernelLog, snapshots: new Map(), lateness: undefined },
        setClocks: () => machines.setClocks(),
        close: () => machines.close(),
        nodes: { ...Object.fromEntries(there), node1, node2 },
        uplinks,
        external: {
          ...{ taken: [], sessions: {} },
          ...external,
          switch: setHere(external.switch, machines.nodes.switch),
          macRange: dryRunMacRange,
          alone: true,
        },
      };
    },
  };
}

/** Configures the VLANs that the inventory describes on the bridge that replaces the external switch. */
async function tellVlansApart(
  session: Session | undefined,
  { vlans, native }: ExternalEnvironment['switch'],
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
    // If the kernel cannot do this, a more expensive lab runs the VLAN part of the dry run.
    if (error instanceof MacvlabError && ['LINK_IGNORED', 'LINK_UNSUPPORTED'].includes(error.code)) return;
    throw error;
  }
  await apply(ports.map((port) => setPortVlans(stack, port, carried)));
}

/** The owner's command would configure the external switch. Here, the bridge that replaces it is configured instead. */
function setHere(
  { driver, ...known }: ExternalEnvironment['switch'],
  bridge: Session | undefined,
): ExternalEnvironment['switch'] {
  if (!driver || 'bridge' in driver) return { ...known, ...(driver && { driver }) };
  const instead = async (port: NodeName, on: boolean) => {
    await bridge?.run(['bridge', 'link', 'set', 'dev', port, 'hairpin', on ? 'on' : 'off']);
  };
  return { ...known, driver: { ...driver, instead } };
}
