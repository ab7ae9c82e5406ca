/** Entering a lab of guests that was kept. */
import { Session } from '../../remote/session.js';
import type { Machines } from '../driver.js';
import { type LabKeys, sshdCommand } from '../sshd.js';
import type { NodeName } from '../topology.js';
import type { GuestCount } from './shapes.js';
import { takeSlot } from './slots.js';

/** What another process needs to reach a kept lab. */
export interface VmState {
  /** The QEMU of the guest with the switch. */
  init: number;
  /** Where the slots' socket files are. */
  folder: string;
  guests: GuestCount;
  keys: LabKeys;
  /** How many times as long as usual the guests take for everything. */
  slowness: number;
}

/** Opens sessions with these nodes of a kept lab. @throws MacvlabError REMOTE_CONNECT when it is gone, or in use by too many */
export async function attachVm(
  { folder, guests, keys, slowness }: VmState,
  nodes: readonly NodeName[],
): Promise<Pick<Machines, 'machine' | 'nodes' | 'ssh'>> {
  const home = guests === 1 ? 'machine' : 'switch';
  const enter = async (name: string) =>
    Session.open({
      name,
      transport: await takeSlot(folder, name),
      user: 'root',
      privateKey: keys.user.private,
      hostKey: keys.host.public,
      slowness,
    });
  const [machine, ...sessions] = await Promise.all([
    enter(home),
    ...nodes.filter((node) => node !== home).map(async (node) => [node, await enter(node)] as const),
  ]);
  return {
    machine,
    nodes: Object.fromEntries([[home, machine], ...sessions]) as Machines['nodes'],
    ssh: sshOf(keys),
  };
}

/** How an sshd of the guests' own is started, and who may log in there. */
export function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}
