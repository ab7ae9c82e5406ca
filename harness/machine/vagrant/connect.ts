/** Starts the lab's first process on each machine, and opens sessions with the nodes. */
import { MacvlabError, messageOf } from '../../core/error.js';
import { Session } from '../../remote/session.js';
import type { Machines } from '../driver.js';
import { begin, lacking, serveInside } from '../../remote/tether.js';
import { type MachinePlace, threeMachines } from '../places.js';
import { enter, type RemoteShell } from '../../remote/ssh-way.js';
import { type LabKeys, sshdCommand } from '../../remote/sshd.js';
import type { NodeName, Topology } from '../topology.js';
import { cardsOf } from './machines.js';
import { machineTether, setUpScript } from './set-up-script.js';
import { type WayIn, wayTo } from './way-in.js';

/** A lab on the machines. */
export interface Placement {
  way: WayIn;
  keys: LabKeys;
  /** Process ids of the lab's first processes, as the machines see them, by the machines' names. */
  inits: Readonly<Record<string, number>>;
  /** The factor by which the machines are slower than usual. */
  slowness: number;
}

/** A machine that is set up: the connection that holds the lab, its first process, and the kernel's release. */
export interface SetUpMachine {
  held: RemoteShell;
  init: number;
  release: string;
}

/**
 * Sets up a machine, and holds the lab there.
 * @throws MacvlabError LAB_OPEN with the machine's output
 */
export async function setUpMachine(
  way: WayIn,
  place: MachinePlace,
  options: { keys: LabKeys; topology: Topology; outlives: boolean; slowness: number },
): Promise<SetUpMachine> {
  const { keys, topology, outlives, slowness } = options;
  const { name, nodes } = place;
  const held = enter(wayTo(way, name), machineTether(), outlives);
  try {
    const script = setUpScript({ name, keys, nodes, cards: cardsOf(place, topology) });
    const { init, release } = await begin(held, script, { slowness });
    return { held, init, release };
  } catch (error) {
    const words = held.words();
    throw new MacvlabError('LAB_OPEN', `the machine ${name} could not be set up: ${messageOf(error)}`, {
      evidence: words,
      next: words.includes(lacking)
        ? 'have Vagrant install what is missing: vagrant provision'
        : `look at it: vagrant ssh ${name}; begin anew: vagrant destroy -f`,
      cause: error,
    });
  }
}

/** Opens a session with a node: `sshd -i` in its namespace, as root. @throws MacvlabError REMOTE_CONNECT */
export async function connectNode({ way, keys, inits, slowness }: Placement, node: NodeName): Promise<Session> {
  const places: readonly MachinePlace[] = threeMachines;
  const place = places.find(({ nodes }) => nodes.includes(node));
  const init = inits[place?.name ?? ''];
  if (!place || init === undefined) throw new TypeError(`no machine holds ${node}`);
  const entered = enter(wayTo(way, place.name), serveInside(init, node));
  return Session.open({
    name: node,
    transport: entered.socket,
    user: 'root',
    privateKey: keys.user.private,
    hostKey: keys.host.public,
    deadline: 60_000,
    slowness,
    stderrTail: entered.words,
    carrier: entered.ended,
  });
}

/** The command that starts an sshd on a node, and the login for it. */
export function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}
