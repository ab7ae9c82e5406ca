/** Entering a container lab that was kept. */
import type { Session } from '../../remote/session.js';
import type { AllSessions, Machines } from '../driver.js';
import type { LabKeys } from '../sshd.js';
import type { NodeName } from '../topology.js';
import { connectNode, sshOf } from './connect.js';
import { Engine } from './engine.js';
import type { EngineAddress } from './engine-address.js';
import { removeLab } from './leftovers.js';

/** What another process needs to reach a kept lab. */
export interface ContainerState {
  /** The lab's id. */
  lab: string;
  engine: EngineAddress;
  /** Ids by the names of their places. */
  containers: Record<string, string>;
  keys: LabKeys;
}

/** Opens sessions with these nodes of a kept lab. @throws MacvlabError REMOTE_CONNECT, ENGINE_REFUSED when it is gone */
export async function attachContainer(
  { lab, engine, containers, keys }: ContainerState,
  nodes: readonly NodeName[],
): Promise<Pick<Machines, 'machine' | 'nodes' | 'ssh'>> {
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

/** Waits until the engine has removed a kept lab whose keeper has ended, and helps where it does not. */
export async function endContainer({ lab, engine }: ContainerState): Promise<void> {
  await removeLab(new Engine(engine), lab);
}
