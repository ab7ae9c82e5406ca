/** The lab on its machines: its first process on each, and sessions with the nodes. */
import { MacvlabError, messageOf } from '../../core/error.js';
import { Session } from '../../remote/session.js';
import type { Machines } from '../driver.js';
import { begin, lacking, serveInside } from '../lifeline.js';
import { type MachinePlace, threeMachines } from '../places.js';
import { enter, type Entered } from '../ssh-way.js';
import { type LabKeys, sshdCommand } from '../sshd.js';
import type { NodeName, Topology } from '../topology.js';
import { cardsOf } from './machines.js';
import { machineLifeline, setUpScript } from './set-up-script.js';
import { type WayIn, wayTo } from './way-in.js';

/** A lab on the machines. */
export interface Placed {
  way: WayIn;
  keys: LabKeys;
  /** Process ids of the lab's first processes, as the machines see them, by the machines' names. */
  inits: Readonly<Record<string, number>>;
  /** How many times as long as usual the machines take for everything. */
  slowness: number;
}

/** A machine that is set up: what holds the lab there, and the kernel's release. */
export interface SetUpMachine {
  held: Entered;
  init: number;
  release: string;
}

/**
 * Sets a machine up, and holds it.
 * @throws MacvlabError LAB_OPEN, with the machine's words
 */
export async function setUpMachine(
  way: WayIn,
  place: MachinePlace,
  options: { keys: LabKeys; topology: Topology; outlives: boolean; slowness: number },
): Promise<SetUpMachine> {
  const { keys, topology, outlives, slowness } = options;
  const { name, nodes } = place;
  const held = enter(wayTo(way, name), machineLifeline(), outlives);
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
export async function connectNode({ way, keys, inits, slowness }: Placed, node: NodeName): Promise<Session> {
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
    lastWords: entered.words,
    carrier: entered.ended,
  });
}

/** How an sshd of the nodes' own is started, and who may log in there. */
export function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}
