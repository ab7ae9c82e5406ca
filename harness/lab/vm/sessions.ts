/** The sessions of a lab's guests: opened while the guests boot. */
import type { MacvlabError } from '../../core/error.js';
import { Session } from '../../remote/session.js';
import type { Host, Machines } from '../driver.js';
import type { LabKeys } from '../sshd.js';
import type { NodeName } from '../topology.js';
import type { Guest } from './guest.js';
import { guestScript, serverScript } from './guest-script.js';
import { type PlacedGuest, portsOf, slotsOfPlace } from './placed-guests.js';

/** Milliseconds for a guest to boot with KVM; with TCG, the guest's slowness multiplies it. */
const bootDeadline = 20_000;

/** What all sessions of a lab share. */
export interface Common {
  keys: LabKeys;
  /** Sessions are added as soon as they stand. */
  opened: Session[];
  /** Why the lab's guests are gone. */
  epitaph: () => MacvlabError | undefined;
}

/** Boots all guests, opens their sessions, and has them wired as soon as each has one. @throws MacvlabError GUEST_START and others */
export async function connectAll(
  guests: readonly PlacedGuest[],
  common: Common,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<{ machines: Pick<Machines, 'machine' | 'nodes'>; hosts: Host[] }> {
  const connecting = guests.map((placed) => connectGuest(placed, common));
  const wiring = Promise.all(connecting.map(({ host }) => host)).then(async (hosts) => {
    await wire(hosts);
    return hosts;
  });
  const [hosts, ...sessions] = await Promise.all([wiring, ...connecting.map(({ sessions }) => sessions)]);
  const nodes = Object.fromEntries(sessions.flatMap((each) => [...each])) as Machines['nodes'];
  const home = hosts.find((host) => host.nodes.includes('switch'));
  if (!home) throw new TypeError('no guest holds the switch');
  return { machines: { machine: home.session, nodes }, hosts };
}

/** Boots a guest and opens its sessions: the machine's own is to be had before the others. */
function connectGuest(
  { place, guest, engines, kept, cards }: PlacedGuest,
  common: Common,
): { host: Promise<Host>; sessions: Promise<Map<NodeName, Session>> } {
  const { name, nodes, own } = place;
  const ports = portsOf(place);
  const namespaces = nodes.filter((node) => node !== own);
  const slots = kept ? slotsOfPlace(place) : new Map<string, string>();
  const [first, ...others] = [...ports];
  if (!first) throw new TypeError(`${name} has no sessions`);
  const script = guestScript({ name, keys: common.keys, namespaces, cards: cards.length > 0, engines });
  const open = async (port: string) => {
    const session = await connect(guest, port, common);
    common.opened.push(session);
    return [port, session] as const;
  };
  const opening = (async () => {
    await guest.boot([...script, ...serverScript({ sessions: new Map([first]), slots: new Map() })], bootDeadline);
    return open(first[0]);
  })();
  const host = opening.then(([, session]): Host => ({ session, nodes, cards, ...(own && { own }) }));
  const byNode = opening.then(async (home) => {
    // Handshakes are most of what a guest computes at first: side by side, all of them would be done as late as the last.
    guest.perform(serverScript({ sessions: new Map(others), slots }));
    const all = [home, ...(await Promise.all(others.map(([port]) => open(port))))];
    return new Map(all.filter(([port]) => port !== 'machine').map(([port, session]) => [port as NodeName, session]));
  });
  // Whichever fails first is told; the other is not an error that nobody has handled.
  host.catch(() => undefined);
  byNode.catch(() => undefined);
  return { host, sessions: byNode };
}

async function connect(guest: Guest, port: string, { keys, epitaph }: Common): Promise<Session> {
  return Session.open({
    name: port === 'machine' ? guest.name : port,
    transport: guest.port(port),
    user: 'root',
    privateKey: keys.user.private,
    hostKey: keys.host.public,
    deadline: 30_000,
    slowness: guest.slowness,
    lastWords: () => guest.console.tail(),
    carrier: guest.exited,
    obituary: epitaph,
  });
}
