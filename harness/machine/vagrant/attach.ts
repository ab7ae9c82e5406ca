/** Attaches to a detached Vagrant lab, and ends it. */
import { z } from 'zod';
import type { Session } from '../../remote/session.js';
import type { AllSessions } from '../driver.js';
import type { Attached } from '../driver-module.js';
import { labKeys } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import { releaseClaim } from './claim.js';
import { connectNode, sshOf } from './connect.js';
import { destroyMachines } from './destroy.js';

/** The data that another process needs to reach a detached lab. */
export const vagrantState = z.object({
  /** The folder of ssh's configuration. */
  folder: z.string(),
  keys: labKeys,
  /** The factor by which the machines are slower than usual; 1 if an older macvlab did not record it. */
  slowness: z.number().default(1),
  /** Process ids of the lab's first processes, by the machines' names. */
  inits: z.record(z.string(), z.number()),
  /** Whether the lab created the machines. */
  made: z.boolean(),
  /** Settings of the lab, for Vagrant's environment. */
  environment: z.record(z.string(), z.string()),
});
export type VagrantState = z.infer<typeof vagrantState>;

/** Opens sessions with these nodes of a detached lab. @throws MacvlabError REMOTE_CONNECT if it is gone */
export async function attachVagrant(
  { folder, keys, slowness, inits }: VagrantState,
  nodes: readonly NodeName[],
): Promise<Attached> {
  const placed = { way: { folder }, keys, inits, slowness };
  const wanted = new Set<NodeName>(['switch', ...nodes]);
  const sessions = new Map<NodeName, Session>();
  const opening = [...wanted].map(async (node) => sessions.set(node, await connectNode(placed, node)));
  const failed = (await Promise.allSettled(opening)).find((outcome) => outcome.status === 'rejected');
  if (failed) {
    for (const session of sessions.values()) session.close();
    throw failed.reason;
  }
  const byName = Object.fromEntries(sessions) as AllSessions;
  return { machine: byName.switch, nodes: byName, ssh: sshOf(keys) };
}

/** Removes the machines that a detached lab created; its holder has ended. */
export async function endVagrant({ made, environment }: VagrantState): Promise<void> {
  if (made) await destroyMachines(environment);
  releaseClaim();
}
