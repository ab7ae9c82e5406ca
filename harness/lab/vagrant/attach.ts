/** Entering a Vagrant lab that was kept, and ending it. */
import type { Session } from '../../remote/session.js';
import type { AllSessions, Machines } from '../driver.js';
import type { LabKeys } from '../sshd.js';
import type { NodeName } from '../topology.js';
import { releaseClaim } from './claim.js';
import { connectNode, sshOf } from './connect.js';
import { destroyMachines } from './vagrant.js';

/** What another process needs to reach a kept lab. */
export interface VagrantState {
  /** Where ssh's configuration is. */
  folder: string;
  keys: LabKeys;
  /** How many times as long as usual the machines take for everything. */
  slowness: number;
  /** Process ids of the lab's first processes, by the machines' names. */
  inits: Record<string, number>;
  /** Whether the machines were made for it. */
  made: boolean;
  /** Settings of the lab, for Vagrant's environment. */
  environment: Record<string, string>;
}

/** Opens sessions with these nodes of a kept lab. @throws MacvlabError REMOTE_CONNECT when it is gone */
export async function attachVagrant(
  { folder, keys, slowness, inits }: VagrantState,
  nodes: readonly NodeName[],
): Promise<Pick<Machines, 'machine' | 'nodes' | 'ssh'>> {
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

/** Removes the machines of a kept lab that were made for it; its keeper has ended. */
export async function endVagrant({ made, environment }: VagrantState): Promise<void> {
  if (made) await destroyMachines(environment);
  releaseClaim();
}
