/** Sessions with a detached lab of guests. */
import { z } from 'zod';
import { Session } from '../../remote/session.js';
import type { Machines } from '../driver.js';
import type { Attached } from '../driver-module.js';
import { type LabKeys, labKeys, sshdCommand } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import { guestCounts } from './shapes.js';
import { takeSlot } from './slots.js';

/** The data that another process needs to reach a detached lab. */
export const vmState = z.object({
  /** The QEMU of the guest with the switch. */
  init: z.number(),
  /** The folder of the slots' socket files. */
  folder: z.string(),
  guests: z.literal(guestCounts),
  keys: labKeys,
  /** The factor by which the guests are slower than usual; 1 if an older macvlab did not record it. */
  slowness: z.number().default(1),
});
export type VmState = z.infer<typeof vmState>;

/**
 * Opens sessions with these nodes of a detached lab.
 * @throws MacvlabError REMOTE_CONNECT when it is gone, or all its slots are in use
 */
export async function attachVm(
  { folder, guests, keys, slowness }: VmState,
  nodes: readonly NodeName[],
): Promise<Attached> {
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

/** The command that starts an sshd in a guest, and the login for it. */
export function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}
