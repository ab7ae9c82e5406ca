/** The VM lab driver: nodes on QEMU guests with a chosen kernel. Needs no root, no bridge and no port on this machine. */
import { rmSync } from 'node:fs';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout } from '../../core/wait.js';
import { newKeyPair } from '../../remote/keys.js';
import type { Session } from '../../remote/session.js';
import { measuredClocks } from '../clocks.js';
import type { Host, KernelLog, LabDriver, Machines } from '../driver.js';
import { startHolder } from '../detached/holders.js';
import { noteProcess } from '../detached/detached-labs.js';
import type { MachinePlace } from '../places.js';
import type { LabKeys } from '../../remote/sshd.js';
import type { Topology } from '../topology.js';
import { type Acceleration, acceleration } from '../qemu/acceleration.js';
import { sshOf, type VmState } from './attach.js';
import { checkVm, refuseWithoutPrograms } from './check.js';
import type { KernelSplat } from '../driver.js';
import { guestEngines } from './guest-script.js';
import { type GuestImages, guestImages, type ImageOptions } from '../../image/images.js';
import { refuseWithoutMemory } from '../qemu/memory.js';
import { type SavedState, savedState } from '../qemu/saved-states.js';
import {
  memoryOf,
  type PlacedGuest,
  type Starting,
  standOrFallTogether,
  starter,
  stateRecipe,
} from './placed-guests.js';
import { type Common, connectAll } from './sessions.js';
import { slowness } from '../qemu/qemu.js';
import { shapes } from './shapes.js';
import { makeSlotFolder } from './slots.js';

export interface VmOptions extends ImageOptions {
  /** Whether the lab may continue to run when this process ends. */
  mayOutlive?: boolean;
  /** Whether guests boot in any case. Otherwise they resume from a saved state where they can. */
  boot?: boolean;
}

/** The driver for a kernel and a number of guests. All its labs share the kernel and images that the first lab has prepared. */
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
  return { images, acceleration: found };
}

/** Opens a lab with guests that resume. If one does not resume, all guests boot: their cables are common. */
async function open(
  prepared: Prepared,
  options: VmOptions,
  topology: Topology,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const places: readonly MachinePlace[] = shapes[options.guests];
  refuseWithoutMemory(places.map(memoryOf));
  const folder = options.mayOutlive ? makeSlotFolder() : undefined;
  const { images, acceleration: found } = prepared;
  const starting = { images, accelerator: found.kind, count: options.guests, folder, cables: topology.cables };
  try {
    const states = await statesOf(places, starting, options);
    if (states.size === 0) return await openGuests(places, starting, states, wire);
    const use = { begun: false };
    const noteUse = (hosts: readonly Host[]) => {
      use.begun = true;
      return wire(hosts);
    };
    try {
      return await openGuests(places, starting, states, noteUse);
    } catch (error) {
      if (use.begun) throw error;
      options.remark?.(`the guests boot, because one did not resume from its saved state: ${messageOf(error)}`);
      for (const state of states.values()) state.drop();
      return await openGuests(places, starting, new Map(), wire);
    }
  } catch (error) {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The states from which the guests of a lab resume: of all of them, or of none. Guests with KVM boot: this could not be
 * tested, and they boot fast.
 */
async function statesOf(
  places: readonly MachinePlace[],
  starting: Starting,
  { boot, remark }: VmOptions,
): Promise<Map<MachinePlace, SavedState>> {
  if (boot || starting.accelerator === 'kvm') return new Map();
  const found = await Promise.all(
    places.map(async (place) => [place, await savedState(stateRecipe(place, starting), remark)] as const),
  );
  const states = new Map(found.flatMap(([place, state]) => (state ? [[place, state] as const] : [])));
  return states.size === places.length ? states : new Map();
}

/** Opens a lab whose guests resume from these states, or boot. If that fails, it has ended them. */
async function openGuests(
  places: readonly MachinePlace[],
  starting: Starting,
  states: ReadonlyMap<MachinePlace, SavedState>,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const complaints: KernelSplat[] = [];
  const guests: PlacedGuest[] = [];
  const opened: Session[] = [];
  const { images, folder, count, accelerator } = starting;
  // QEMU of a lab that may be detached outlives this process. So it is killed if this process exits before the lab is
  // detached.
  const abandon = () => {
    for (const { guest } of guests) guest.abandon();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  if (folder !== undefined) process.once('exit', abandon);
  const endGuests = async () => {
    process.off('exit', abandon);
    for (const session of opened) session.close();
    await Promise.all(guests.map(({ guest }) => guest.close()));
  };
  const close = async () => {
    await endGuests();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  let epitaph: Common['epitaph'] = () => undefined;
  try {
    const start = starter(starting, states, complaints);
    // One after the other: if one does not start, those that run already are ended.
    for (const place of places) {
      const placed = start(place);
      guests.push(placed);
      if (folder !== undefined) noteProcess(folder, placed.guest.pid);
    }
    epitaph = standOrFallTogether(guests.map(({ guest }) => guest));
    const { machines, hosts } = await connectAll(guests, { keys, opened, epitaph }, wire);
    return {
      ...machines,
      ...(await measuredClocks(hosts, machines.nodes, true)),
      ssh: sshOf(keys),
      engines: { tree: images.engines === undefined ? undefined : guestEngines },
      kernelLog: kernelLogOf(guests, hosts, complaints),
      close,
      ...(folder !== undefined && {
        detachable: {
          state: {
            ...{ init: guests[0]?.guest.pid ?? 0, folder, guests: count, keys },
            slowness: slowness[accelerator],
          } satisfies VmState,
          detach: async () => {
            const holder = await startHolder(guests.map(({ guest }) => guest.control));
            process.off('exit', abandon);
            for (const { guest } of guests) guest.release();
            return holder;
          },
        },
      }),
    };
  } catch (error) {
    const died = epitaph();
    await endGuests();
    const toldAlready = error instanceof MacvlabError && error.code === 'GUEST_START';
    throw toldAlready ? error : (died ?? error);
  }
}

function kernelLogOf(
  guests: readonly PlacedGuest[],
  hosts: readonly Host[],
  complaints: readonly KernelSplat[],
): KernelLog {
  let ends = 0;
  return {
    settle: async () => {
      const marker = `macvlab: end ${++ends}.`;
      await Promise.all(
        guests.map(async ({ guest: { name, console } }, index) => {
          await hosts[index]?.session.run(['sh', '-c', 'echo "<4>$1" >/dev/kmsg', 'sh', marker]);
          await console.changes.until(() => console.tail().includes(marker) || undefined, {
            what: `the console of ${name} to show the end of what its kernel has said`,
            deadline: timeout(10_000),
            evidence: () => console.tail(),
          });
        }),
      );
    },
    mark: () => complaints.length,
    since: (mark) => complaints.slice(mark),
    text: () => new Map(guests.map(({ guest }) => [guest.name, guest.console.text])),
  };
}
