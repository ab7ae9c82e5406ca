/** The guests of a lab: started with their cables, each with the ports that its place in the lab needs. */
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import type { MacvlabError } from '../../core/error.js';
import type { Host } from '../driver.js';
import { cableEnds, type MachinePlace } from '../places.js';
import type { Cable, NodeName } from '../topology.js';
import { randomMac } from '../wiring.js';
import type { Accelerator } from './qemu.js';
import type { KernelComplaint } from '../driver.js';
import { Guest } from './guest.js';
import type { GuestImages } from './images.js';
import { guestMemory } from './memory.js';
import type { GuestCount } from './shapes.js';
import { slotFile, slotsOf } from './slots.js';

/** A guest that runs, its place in the lab, and its sessions by the names of its ports. */
export interface PlacedGuest {
  place: MachinePlace;
  guest: Guest;
  /** Whether it has the container engines' programs. */
  engines: boolean;
  /** Whether there are slots, for a lab that may be kept. */
  kept: boolean;
  cards: Host['cards'];
}

export interface Starting {
  images: GuestImages;
  accelerator: Accelerator;
  /** How many guests there will be. */
  count: GuestCount;
  /** Where the ways in for other processes are, of a lab that may be kept. */
  folder: string | undefined;
  cables: readonly Cable[];
  complaints: KernelComplaint[];
}

/** Starts guests, the one with the switch first: it makes the cables, whose other ends the others are given. */
export function starter({
  images,
  accelerator,
  count,
  folder,
  cables,
  complaints,
}: Starting): (place: MachinePlace) => PlacedGuest {
  const loose = new Map<Cable, Socket>();
  // With several processors, TCG may let one run into an instruction that another is changing: the kernel's own way of
  // switching its static branches, which ends in "Oops: int3".
  const processors = accelerator === 'kvm' ? Math.min(availableParallelism(), count > 1 ? 2 : 4) : 1;
  return (place) => {
    const ends = cableEnds(place, cables).map((end) => ({ ...end, mac: randomMac(), other: loose.get(end.cable) }));
    const guest = Guest.start({
      ...{
        name: place.name,
        accelerator,
        processors,
        memory: memoryOf(place),
        ports: [...portsOf(place).keys()],
      },
      ...{ kernel: images.kernel, initramfs: images.initramfs, root: images.root, complaints },
      ...(images.engines !== undefined && { engines: images.engines }),
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
      engines: images.engines !== undefined,
      kept: folder !== undefined,
      cards: ends.map(({ node, interface: name, mac }) => ({ node, interface: name, mac })),
    };
  };
}

/** The serial ports of a guest that an sshd listens behind, each with the namespace that it is in. */
export function portsOf({ nodes, own }: MachinePlace): Map<string, NodeName | undefined> {
  const namespaces = nodes.filter((node) => node !== own);
  return new Map([[own ?? 'machine', undefined], ...namespaces.map((node) => [node, node] as const)]);
}

/** The slots of a guest, each with the port whose session it stands for. */
export function slotsOfPlace(place: MachinePlace): Map<string, string> {
  return new Map([...portsOf(place).keys()].flatMap((port) => slotsOf(port).map((slot) => [slot, port] as const)));
}

function slotFiles(place: MachinePlace, folder: string): Map<string, string> {
  return new Map([...slotsOfPlace(place).keys()].map((slot) => [slot, slotFile(folder, slot)]));
}

/** MiB that a guest gets. */
export function memoryOf({ nodes }: MachinePlace): number {
  return nodes.length > 1 ? guestMemory.several : guestMemory.node;
}

/** Ends all guests when one dies: nobody has to wait for what the others will never get. @returns why the first died */
export function standOrFallTogether(guests: readonly Guest[]): () => MacvlabError | undefined {
  let first: MacvlabError | undefined;
  for (const guest of guests) {
    guest.death.addEventListener('abort', () => {
      first ??= guest.epitaph();
      for (const other of guests) other.abandon();
    });
  }
  return () => first;
}
