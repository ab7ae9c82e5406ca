/** The sessions of a lab's guests: opened while the guests boot. */
import type { MacvlabError } from '../../core/error.js';
import { Session } from '../../remote/session.js';
import type { Host, Machines } from '../driver.js';
import type { LabKeys } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';
import type { Guest } from '../qemu/guest.js';
import { commonScript, identityScript, resumedScript, serverScript } from './guest-script.js';
import { layoutOf, type PlacedGuest, portsOf, slotsOfPlace } from './placed-guests.js';

/** Milliseconds for a guest to boot with KVM; with TCG, the guest's slowness multiplies it. */
const bootDeadline = 20_000;

/** Milliseconds for a guest to resume, as for its boot: ten times what a busy machine needs. */
const resumeDeadline = 5000;

/** The data that all sessions of a lab share. */
export interface Common {
  keys: LabKeys;
  /** Each session is added as soon as it is open. */
  opened: Session[];
  /** Returns the reason why the lab's guests are gone. */
  epitaph: () => MacvlabError | undefined;
}

/**
 * Boots or resumes all guests, opens their sessions, and calls `wire` as soon as each guest has a session.
 * @throws MacvlabError GUEST_START and others
 */
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

/** Boots or resumes a guest and opens its sessions: the machine's own session is open before the others. */
function connectGuest(
  { place, guest, engines, kept, cards }: PlacedGuest,
  common: Common,
): { host: Promise<Host>; sessions: Promise<Map<NodeName, Session>> } {
  const { name, nodes, own } = place;
  const ports = portsOf(place);
  const slots = kept ? slotsOfPlace(place) : new Map<string, string>();
  const [first, ...others] = [...ports];
  if (!first) throw new TypeError(`${name} has no sessions`);
  const server = serverScript({ sessions: new Map([first]), slots: new Map() });
  const beginning = async () => {
    if (!guest.resumes) return commonScript({ ...layoutOf(place), cards: cards.length > 0, engines });
    await guest.resume(resumeDeadline);
    return resumedScript(
      Date.now() * 1000,
      cards.map(({ mac }) => mac),
    );
  };
  const open = async (port: string) => {
    const session = await connect(guest, port, common);
    common.opened.push(session);
    return [port, session] as const;
  };
  const opening = (async () => {
    await guest.boot([...(await beginning()), ...identityScript({ name, keys: common.keys }), ...server], bootDeadline);
    return open(first[0]);
  })();
  const host = opening.then(([, session]): Host => ({ session, nodes, cards, ...(own && { own }) }));
  const byNode = opening.then(async (home) => {
    // Handshakes are most of a guest's first work. If all of them ran in parallel, each would end as late as the last.
    guest.perform(serverScript({ sessions: new Map(others), slots }));
    const all = [home, ...(await Promise.all(others.map(([port]) => open(port))))];
    return new Map(all.filter(([port]) => port !== 'machine').map(([port, session]) => [port as NodeName, session]));
  });
  // The caller gets the error that occurs first; the other must not be an unhandled rejection.
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
    stderrTail: () => guest.console.tail(),
    carrier: guest.exited,
    deathCause: epitaph,
  });
}
