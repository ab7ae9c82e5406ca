/** A node of a running lab, as `lab shell` and `lab capture` reach it. */
import { Argument } from 'commander';
import { attachDetached } from '../../machine/drivers.js';
import { findDetached, type DetachedLab } from '../../machine/detached/detached-labs.js';
import { type NodeName, nodeNames } from '../../machine/topology.js';
import { CommandLog } from '../../remote/command-log.js';
import { NetworkStack } from '../../remote/network-stack.js';
import type { Session } from '../../remote/session.js';

/** The NODE argument. */
export function nodeArgument(): Argument {
  return new Argument('<node>', 'which node').choices(nodeNames);
}

/**
 * Opens a session with a node of a running lab, runs the work in it, and closes it.
 * @param name of the lab, if more than one is running
 * @throws MacvlabError LAB_UNKNOWN, USAGE, REMOTE_CONNECT; the errors of the work
 */
export async function onNode<T>(
  name: string | undefined,
  node: NodeName,
  work: (session: Session, lab: DetachedLab) => Promise<T>,
): Promise<T> {
  const kept = findDetached(name);
  const machines = await attachDetached(kept, [node]);
  try {
    const session = machines.nodes[node];
    if (session) return await work(session, kept);
    throw new TypeError(`no session with ${node} was opened`);
  } finally {
    await machines.close();
  }
}

/**
 * Opens a session with each node of a running lab, runs the work with their stacks, and closes them.
 * @throws MacvlabError LAB_UNKNOWN, USAGE, REMOTE_CONNECT; the errors of the work
 */
export async function onAllNodes<T>(
  name: string | undefined,
  work: (stacks: readonly NetworkStack[]) => Promise<T>,
): Promise<T> {
  const machines = await attachDetached(findDetached(name));
  const log = new CommandLog();
  try {
    return await work(
      nodeNames.flatMap((node) => {
        const session = machines.nodes[node];
        return session ? [new NetworkStack(node, session, log)] : [];
      }),
    );
  } finally {
    await machines.close();
  }
}
