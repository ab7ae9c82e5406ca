/** The VM lab driver: nodes on QEMU guests with a chosen kernel. Needs no root, no bridge and no port on this machine. */
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { MacvlabError } from '../../core/error.js';
import { beSlow } from '../../core/wait.js';
import { measureClock } from '../../remote/clock.js';
import { newKeyPair } from '../../remote/keys.js';
import { Session } from '../../remote/session.js';
import type { Host, KernelLog, LabDriver, Machines } from '../driver.js';
import { startKeeper } from '../keepers.js';
import { type LabKeys, sshdCommand } from '../sshd.js';
import type { Cable, NodeName, Topology } from '../topology.js';
import { randomMac } from '../wiring.js';
import { type Acceleration, acceleration, slowness } from './acceleration.js';
import { checkVm, refuseWithoutPrograms } from './check.js';
import type { KernelComplaint } from './console.js';
import { Guest } from './guest.js';
import { guestScript } from './guest-script.js';
import { type GuestImages, guestImages, type ImageOptions } from './images.js';
import { guestMemory, refuseWithoutMemory } from './memory.js';
import { cableEnds, type GuestCount, type GuestPlace, shapes } from './shapes.js';
import { makeSlotFolder, slotFile, slotsOf, takeSlot } from './slots.js';

export interface VmOptions extends ImageOptions {
  /** Whether the lab may be kept when this process ends. */
  mayOutlive?: boolean;
}

/** What another process needs to reach a kept lab. */
export interface VmState {
  /** The QEMU of the guest with the switch. */
  init: number;
  /** Where the slots' socket files are. */
  folder: string;
  guests: GuestCount;
  keys: LabKeys;
}

/** Opens sessions with these nodes of a kept lab. @throws MacvlabError REMOTE_CONNECT when it is gone, or in use by too many */
export async function attachVm(
  { folder, guests, keys }: VmState,
  nodes: readonly NodeName[],
): Promise<Pick<Machines, 'machine' | 'nodes' | 'ssh'>> {
  const home = guests === 1 ? 'machine' : 'switch';
  const enter = async (name: string) =>
    Session.open({
      name,
      transport: await takeSlot(folder, name),
      user: 'root',
      privateKey: keys.user.private,
      hostKey: keys.host.public,
    });
  const [machine, ...sessions] = await Promise.all([
    enter(home),
    ...nodes.filter((node) => node !== home).map(async (node) => [node, await enter(node)] as const),
  ]);
  return {
    machine,
    nodes: Object.fromEntries([[home, machine], ...sessions]) as Machines['nodes'],
    ssh: sshOf(keys),
  };
}

function sshOf(keys: LabKeys): Machines['ssh'] {
  return { server: sshdCommand(), user: 'root', privateKey: keys.user.private, hostKey: keys.host.public };
}

/** Milliseconds for a guest to boot with KVM; with TCG, and three guests on few processors, patience multiplies it. */
const bootDeadline = 20_000;

/** A guest that runs, its place in the lab, and its sessions by the names of its ports. */
interface PlacedGuest {
  place: GuestPlace;
  guest: Guest;
  /** Whether there are slots, for a lab that may be kept. */
  kept: boolean;
  cards: Host['cards'];
}

/** The driver for a kernel and a number of guests. What is prepared for the first lab (kernel, images) serves all others. */
export function vmDriver(options: VmOptions): LabDriver {
  let prepared: Promise<Prepared> | undefined;
  return {
    name: 'vm',
    processors: options.guests,
    check: () => checkVm(options),
    prepare: async () => {
      const { images, acceleration } = await (prepared ??= prepare(options));
      const { kind, why } = acceleration;
      return {
        kernel: images.name,
        initramfs: images.initramfs,
        'root image': images.root,
        acceleration: `${kind.toUpperCase()} (${why})`,
      };
    },
    open: async (topology, wire) => open(await (prepared ??= prepare(options)), options, topology, wire),
  };
}

interface Prepared {
  images: GuestImages;
  acceleration: Acceleration;
}

async function prepare(options: VmOptions): Promise<Prepared> {
  refuseWithoutPrograms();
  const images = await guestImages(options);
  const found = await acceleration(images, options.remark);
  options.remark?.(`guests run ${images.name} with ${found.kind.toUpperCase()} (${found.why})`);
  beSlow(slowness[found.kind]);
  return { images, acceleration: found };
}

async function open(
  prepared: Prepared,
  options: VmOptions,
  topology: Topology,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const places: readonly GuestPlace[] = shapes[options.guests];
  refuseWithoutMemory(places.map(memoryOf));
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const complaints: KernelComplaint[] = [];
  const guests: PlacedGuest[] = [];
  const opened: Session[] = [];
  const folder = options.mayOutlive ? makeSlotFolder() : undefined;
  const close = async () => {
    for (const session of opened) session.close();
    await Promise.all(guests.map(({ guest }) => guest.close()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  let epitaph: Common['epitaph'] = () => undefined;
  try {
    const start = starter({ prepared, count: options.guests, folder, cables: topology.cables, complaints });
    // One after the other: those that run already are ended should the next not start.
    for (const place of places) guests.push(start(place));
    epitaph = standOrFallTogether(guests.map(({ guest }) => guest));
    const { machines, hosts } = await connectAll(guests, { keys, opened, epitaph }, wire);
    const roundTrip = await setClocks(hosts, machines.nodes);
    return {
      ...machines,
      ssh: sshOf(keys),
      kernelLog: kernelLogOf(guests, complaints),
      roundTrip,
      close,
      ...(folder !== undefined && {
        keep: async () => {
          const keeper = await startKeeper(guests.map(({ guest }) => guest.control));
          const [home] = guests;
          for (const { guest } of guests) guest.release();
          return {
            keeper,
            state: { init: home?.guest.pid ?? 0, folder, guests: options.guests, keys } satisfies VmState,
          };
        },
      }),
    };
  } catch (error) {
    const died = epitaph();
    await close();
    const toldAlready = error instanceof MacvlabError && error.code === 'GUEST_START';
    throw toldAlready ? error : (died ?? error);
  }
}

/** What all sessions of a lab share. */
interface Common {
  keys: LabKeys;
  /** Sessions are added as soon as they stand. */
  opened: Session[];
  /** Why the lab's guests are gone. */
  epitaph: () => MacvlabError | undefined;
}

/** Ends all guests when one dies: nobody has to wait for what the others will never get. @returns why the first died */
function standOrFallTogether(guests: readonly Guest[]): () => MacvlabError | undefined {
  let first: MacvlabError | undefined;
  for (const guest of guests) {
    guest.death.addEventListener('abort', () => {
      first ??= guest.epitaph();
      for (const other of guests) other.abandon();
    });
  }
  return () => first;
}

/** MiB */
function memoryOf({ nodes }: GuestPlace): number {
  return nodes.length > 1 ? guestMemory.several : guestMemory.node;
}

interface Starting {
  prepared: Prepared;
  /** How many guests there will be. */
  count: GuestCount;
  /** Where the ways in for other processes are, of a lab that may be kept. */
  folder: string | undefined;
  cables: readonly Cable[];
  complaints: KernelComplaint[];
}

/** Starts guests, the one with the switch first: it makes the cables, whose other ends the others are given. */
function starter({ prepared, count, folder, cables, complaints }: Starting): (place: GuestPlace) => PlacedGuest {
  const { images, acceleration } = prepared;
  const loose = new Map<Cable, Socket>();
  // With several processors, TCG may let one run into an instruction that another is changing: the kernel's own way of
  // switching its static branches, which ends in "Oops: int3".
  const processors = acceleration.kind === 'kvm' ? Math.min(availableParallelism(), count > 1 ? 2 : 4) : 1;
  return (place) => {
    const ends = cableEnds(place, cables).map((end) => ({ ...end, mac: randomMac(), other: loose.get(end.cable) }));
    const guest = Guest.start({
      ...{
        name: place.name,
        accelerator: acceleration.kind,
        processors,
        memory: memoryOf(place),
        ports: [...portsOf(place).keys()],
      },
      ...{ kernel: images.kernel, initramfs: images.initramfs, root: images.root, complaints },
      ...(folder !== undefined && { slots: slotFiles(place, folder) }),
      cards: ends.map(({ mac, other }) => ({ mac, ...(other && { cable: other }) })),
    });
    for (const [index, { cable }] of ends.entries()) {
      const socket = guest.cables[index];
      if (socket) loose.set(cable, socket);
    }
    return {
      place,
      guest,
      kept: folder !== undefined,
      cards: ends.map(({ node, interface: name, mac }) => ({ node, interface: name, mac })),
    };
  };
}

/** The serial ports of a guest that an sshd listens behind, each with the namespace that it is in. */
function portsOf({ nodes, own }: GuestPlace): Map<string, NodeName | undefined> {
  const namespaces = nodes.filter((node) => node !== own);
  return new Map([[own ?? 'machine', undefined], ...namespaces.map((node) => [node, node] as const)]);
}

/** The slots of a guest, each with the port whose session it stands for. */
function slotsOfPlace(place: GuestPlace): Map<string, string> {
  return new Map([...portsOf(place).keys()].flatMap((port) => slotsOf(port).map((slot) => [slot, port] as const)));
}

function slotFiles(place: GuestPlace, folder: string): Map<string, string> {
  return new Map([...slotsOfPlace(place).keys()].map((slot) => [slot, slotFile(folder, slot)]));
}

async function connectAll(
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
  { place, guest, kept, cards }: PlacedGuest,
  common: Common,
): { host: Promise<Host>; sessions: Promise<Map<NodeName, Session>> } {
  const { name, nodes, own } = place;
  const ports = portsOf(place);
  const namespaces = nodes.filter((node) => node !== own);
  const slots = kept ? slotsOfPlace(place) : new Map<string, string>();
  const script = guestScript({ name, keys: common.keys, namespaces, sessions: ports, slots, cards: cards.length > 0 });
  const booted = guest.boot(script, bootDeadline);
  const sessions = [...ports.keys()].map(async (port) => {
    await booted;
    const session = await connect(guest, port, common);
    common.opened.push(session);
    return [port, session] as const;
  });
  const host = Promise.resolve(sessions[0]).then((first): Host => {
    if (!first) throw new TypeError(`${name} has no sessions`);
    return { session: first[1], nodes, cards, ...(own && { own }) };
  });
  const byNode = Promise.all(sessions).then(
    (all) => new Map(all.filter(([port]) => port !== 'machine').map(([port, session]) => [port as NodeName, session])),
  );
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
    lastWords: () => guest.console.tail(),
    carrier: guest.exited,
    obituary: epitaph,
  });
}

/** Measures each guest's clock against ours. @returns the longest that a command takes there and back, in milliseconds */
async function setClocks(hosts: readonly Host[], nodes: Machines['nodes']): Promise<number> {
  const measured = await Promise.all(
    hosts.map(async (host) => {
      const { roundTrip, ...clock } = await measureClock(host.session);
      for (const session of [host.session, ...host.nodes.map((node) => nodes[node])]) session.clock = clock;
      return roundTrip;
    }),
  );
  return Math.max(...measured);
}

function kernelLogOf(guests: readonly PlacedGuest[], complaints: readonly KernelComplaint[]): KernelLog {
  return {
    mark: () => complaints.length,
    since: (mark) => complaints.slice(mark),
    text: () => new Map(guests.map(({ guest }) => [guest.name, guest.console.text])),
  };
}
