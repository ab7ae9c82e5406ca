/** Sessions with a detached container lab. */
import { z } from 'zod';
import type { Session } from '../../remote/session.js';
import type { AllSessions } from '../driver.js';
import type { Attached } from '../driver-module.js';
import { labKeys } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import { connectNode, sshOf } from './connect.js';
import { Engine } from './engine.js';
import { engineAddress } from './engine-address.js';
import { removeLab } from './leftovers.js';

/** The data that another process needs to reach a detached lab. */
export const containerState = z.object({
  /** The lab's id. */
  lab: z.string(),
  engine: engineAddress,
  /** Ids by the names of their places. */
  containers: z.record(z.string(), z.string()),
  keys: labKeys,
});
export type ContainerState = z.infer<typeof containerState>;

/** Opens sessions with these nodes of a detached lab. @throws MacvlabError REMOTE_CONNECT, ENGINE_REFUSED when it is gone */
export async function attachContainer(
  { lab, engine, containers, keys }: ContainerState,
  nodes: readonly NodeName[],
): Promise<Attached> {
  const into = { lab, engine: new Engine(engine), keys, ids: new Map(Object.entries(containers)) };
  const wanted = new Set<NodeName>(['switch', ...nodes]);
  const sessions = new Map<NodeName, Session>();
  const opening = [...wanted].map(async (node) => sessions.set(node, await connectNode(into, node)));
  const failed = (await Promise.allSettled(opening)).find((outcome) => outcome.status === 'rejected');
  if (failed) {
    for (const session of sessions.values()) session.close();
    throw failed.reason;
  }
  const byName = Object.fromEntries(sessions) as AllSessions;
  return { machine: byName.switch, nodes: byName, ssh: sshOf(keys) };
}

/** Waits until the engine has removed a detached lab whose holder has ended, and removes the containers that remain. */
export async function endContainer({ lab, engine }: ContainerState): Promise<void> {
  await removeLab(new Engine(engine), lab);
}
