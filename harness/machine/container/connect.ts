/** Sessions with the nodes of a container lab: `sshd -i`, started by the engine, with its standard input and output as the transport. */
import { Session } from '../../remote/session.js';
import type { Host, Machines } from '../driver.js';
import { type MachinePlace, threeMachines } from '../places.js';
import { type LabKeys, sshdCommand } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import type { ContainerCable } from './cables.js';
import { execute } from './containers.js';
import type { Engine } from './engine.js';
import { Multiplexed } from './multiplexed.js';

/** A lab's containers, and the data for sessions with them. */
export interface Containers {
  /** The lab's id. */
  lab: string;
  engine: Engine;
  keys: LabKeys;
  /** Ids by the names of their places. */
  ids: ReadonlyMap<string, string>;
}

/**
 * Opens a session with a node.
 * @throws MacvlabError REMOTE_CONNECT; ENGINE_REFUSED when its container is gone
 */
export async function connectNode({ engine, keys, ids }: Containers, node: NodeName): Promise<Session> {
  const places: readonly MachinePlace[] = threeMachines;
  const place = places.find(({ nodes }) => nodes.includes(node));
  const enter = node === place?.own ? [] : ['nsenter', `--net=/run/netns/${node}`, '--'];
  const id = ids.get(place?.name ?? '') ?? '';
  const transport = new Multiplexed(await execute(engine, id, [...enter, ...sshdCommand(), '-i']));
  return Session.open({
    name: node,
    transport,
    user: 'root',
    privateKey: keys.user.private,
    hostKey: keys.host.public,
    stderrTail: () => transport.words,
  });
}

/** The containers as hosts, each with the session of its own node. */
export function hostsOf(nodes: Readonly<Partial<Machines['nodes']>>, cables: readonly ContainerCable[]): Host[] {
  const cards = cables.flatMap(({ near, far }) => [near, far]);
  return threeMachines.flatMap((place) => {
    const session = nodes[place.own];
    if (!session) return [];
    return { ...place, session, cards: cards.filter(({ node }) => node === place.own) };
  });
}

/** The command that starts an sshd in a container, and the login for it. */
export function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}
