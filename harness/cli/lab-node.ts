/** A node of a running lab, as `lab shell` and `lab capture` reach it. */
import { Argument } from 'commander';
import { attachKept } from '../lab/drivers.js';
import { findKept, type KeptLab } from '../lab/kept.js';
import { type NodeName, nodeNames } from '../lab/topology.js';
import type { Session } from '../remote/session.js';

/** The argument NODE. */
export function nodeArgument(): Argument {
  return new Argument('<node>', 'which node').choices(nodeNames);
}

/**
 * Works in a session with a node of a running lab, and closes it.
 * @param name of the lab, when more than one is running
 * @throws MacvlabError LAB_UNKNOWN, USAGE, REMOTE_CONNECT; what the work throws
 */
export async function onNode<T>(
  name: string | undefined,
  node: NodeName,
  work: (session: Session, lab: KeptLab) => Promise<T>,
): Promise<T> {
  const kept = findKept(name);
  const machines = await attachKept(kept, [node]);
  try {
    const session = machines.nodes[node];
    if (session) return await work(session, kept);
    throw new TypeError(`no session with ${node} was opened`);
  } finally {
    await machines.close();
  }
}
