/** The VM lab driver: nodes on QEMU guests with a chosen kernel. Needs no root, no bridge and no port on this machine. */
import { rmSync } from 'node:fs';
import { MacvlabError } from '../../core/error.js';
import { patience } from '../../core/wait.js';
import { newKeyPair } from '../../remote/keys.js';
import type { Session } from '../../remote/session.js';
import { setClocks } from '../clocks.js';
import type { Host, KernelLog, LabDriver, Machines } from '../driver.js';
import { startKeeper } from '../keepers.js';
import { noteProcess } from '../kept.js';
import type { MachinePlace } from '../places.js';
import type { LabKeys } from '../sshd.js';
import type { Topology } from '../topology.js';
import { type Acceleration, acceleration } from './acceleration.js';
import { sshOf, type VmState } from './attach.js';
import { checkVm, refuseWithoutPrograms } from './check.js';
import type { KernelComplaint } from '../driver.js';
import { guestEngines } from './guest-script.js';
import { type GuestImages, guestImages, type ImageOptions } from './images.js';
import { refuseWithoutMemory } from './memory.js';
import { memoryOf, type PlacedGuest, standOrFallTogether, starter } from './placed-guests.js';
import { type Common, connectAll } from './sessions.js';
import { slowness } from './qemu.js';
import { shapes } from './shapes.js';
import { makeSlotFolder } from './slots.js';

export interface VmOptions extends ImageOptions {
  /** Whether the lab may be kept when this process ends. */
  mayOutlive?: boolean;
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
  return { images, acceleration: found };
}

async function open(
  prepared: Prepared,
  options: VmOptions,
  topology: Topology,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const places: readonly MachinePlace[] = shapes[options.guests];
  refuseWithoutMemory(places.map(memoryOf));
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const complaints: KernelComplaint[] = [];
  const guests: PlacedGuest[] = [];
  const opened: Session[] = [];
  const { images, acceleration: found } = prepared;
  const folder = options.mayOutlive ? makeSlotFolder() : undefined;
  // QEMU of a lab that may be kept outlives this process, and so is ended when it exits before it has kept the lab.
  const abandon = () => {
    for (const { guest } of guests) guest.abandon();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  if (folder !== undefined) process.once('exit', abandon);
  const close = async () => {
    process.off('exit', abandon);
    for (const session of opened) session.close();
    await Promise.all(guests.map(({ guest }) => guest.close()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  let epitaph: Common['epitaph'] = () => undefined;
  try {
    const start = starter({
      ...{ images, accelerator: found.kind, count: options.guests },
      ...{ folder, cables: topology.cables, complaints },
    });
    // One after the other: those that run already are ended should the next not start.
    for (const place of places) {
      const placed = start(place);
      guests.push(placed);
      if (folder !== undefined) noteProcess(folder, placed.guest.pid);
    }
    epitaph = standOrFallTogether(guests.map(({ guest }) => guest));
    const { machines, hosts } = await connectAll(guests, { keys, opened, epitaph }, wire);
    const roundTrip = await setClocks(hosts, machines.nodes);
    const again = async () => {
      await setClocks(hosts, machines.nodes);
    };
    return {
      ...machines,
      ssh: sshOf(keys),
      engines: { tree: images.engines === undefined ? undefined : guestEngines },
      kernelLog: kernelLogOf(guests, hosts, complaints),
      roundTrip,
      setClocks: again,
      close,
      ...(folder !== undefined && {
        keep: async () => {
          const keeper = await startKeeper(guests.map(({ guest }) => guest.control));
          process.off('exit', abandon);
          const [home] = guests;
          for (const { guest } of guests) guest.release();
          return {
            keeper,
            state: {
              ...{ init: home?.guest.pid ?? 0, folder, guests: options.guests, keys },
              slowness: slowness[found.kind],
            } satisfies VmState,
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

function kernelLogOf(
  guests: readonly PlacedGuest[],
  hosts: readonly Host[],
  complaints: readonly KernelComplaint[],
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
            deadline: patience(10_000),
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
