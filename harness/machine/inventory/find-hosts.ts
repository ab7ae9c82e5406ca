/** Reaches and checks all hosts of an inventory. */
import { MacvlabError } from '../../core/error.js';
import type { LabKeys } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import type { Inventory, InventoryMachine } from './file/inventory-file.js';
import type { HostAddress } from './file/machine.js';
import { lookAtNic, type OnWire } from './nic.js';
import { compareCables, lookAtPorts } from './external-bridge.js';
import { reach, type ReachedHost } from './reach/reach.js';

/** All hosts of an inventory. */
export interface Found {
  node1: OnWire;
  node2: OnWire;
  router?: OnWire;
  bridge?: ReachedHost;
}

/**
 * Reaches all hosts, and checks their NICs and the bridge; changes nothing.
 * @param reached receives each host as soon as it is reached
 * @param behindThird network namespaces to create on the third machine
 * @throws MacvlabError HOST_*; LAB_OPEN if two of them are the same host
 */
export async function reachAll(
  { machines, bridge, switch: known }: Inventory,
  { keys, reached, behindThird }: { keys: LabKeys; reached: ReachedHost[]; behindThird: readonly NodeName[] },
): Promise<Found> {
  const over = new AbortController();
  const hold = async (address: HostAddress, namespaces: readonly string[] = []) => {
    const host = await reach(address, { keys, namespaces, signal: over.signal });
    reached.push(host);
    return host;
  };
  const onWire = async (machine: InventoryMachine, namespaces?: readonly string[]) => {
    const host = await hold(machine.address, namespaces);
    return { host, nic: await lookAtNic(host, machine.nic) };
  };
  const { node1, node2, router } = machines;
  const all = [
    onWire(node1),
    onWire(node2),
    router ? onWire(router, behindThird) : none,
    bridge ? lookedAt(hold(bridge), known) : none,
  ] as const;
  try {
    const [one, two, third, far] = await Promise.all(all);
    const found = { node1: one, node2: two, ...(third && { router: third }), ...(far && { bridge: far }) };
    await refuseTwins(reached);
    const { driver } = known;
    if (far && driver && 'bridge' in driver) {
      const { bridge: _, ...cards } = found;
      await compareCables(far, driver.bridge, cards);
    }
    return found;
  } catch (error) {
    // Aborts the attempts that still run; reports only the first failure.
    over.abort(error);
    await Promise.allSettled(all);
    throw error;
  }
}

const none = Promise.resolve(undefined);

/** Waits for the switch’s machine, and checks its bridge and ports against the inventory. */
async function lookedAt(reaching: Promise<ReachedHost>, { driver }: Inventory['switch']): Promise<ReachedHost> {
  const host = await reaching;
  if (driver && 'bridge' in driver) await lookAtPorts(host, driver.bridge);
  return host;
}

/**
 * Rejects two names of the same host: its NICs share one network stack, in which nothing from the articles holds.
 * @throws MacvlabError LAB_OPEN
 */
export async function refuseTwins(hosts: readonly ReachedHost[]): Promise<void> {
  const stacks = new Map<string, string>();
  for (const { name, session } of hosts) {
    const tell = 'cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/net';
    const { stdout: stack } = await session.run(['sh', '-c', tell]);
    const other = stacks.get(stack);
    if (other !== undefined) {
      throw new MacvlabError('LAB_OPEN', `${other} and ${name} are one host, reached by two names`, {
        next: 'give each its own host in the inventory',
      });
    }
    stacks.set(stack, name);
  }
}
