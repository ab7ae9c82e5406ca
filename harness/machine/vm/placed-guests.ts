/** The guests of a lab: starts them with their cables, each with the ports that its place in the lab needs. */
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import type { MacvlabError } from '../../core/error.js';
import type { Host } from '../driver.js';
import { cableEnds, type MachinePlace } from '../places.js';
import type { Cable, NodeName } from '../topology.js';
import { randomMac } from '../link-identity.js';
import type { Accelerator } from '../qemu/qemu.js';
import type { KernelSplat } from '../driver.js';
import { Guest, type SavedMachine } from '../qemu/guest.js';
import type { GuestImages } from '../../image/images.js';
import { guestMemory } from '../qemu/memory.js';
import type { StateRecipe } from '../qemu/saved-states.js';
import { commonScript, warmingScript } from './guest-script.js';
import type { GuestCount } from './shapes.js';
import { slotFile, slotsOf } from './slots.js';

/** A running guest, its place in the lab, and its NICs. */
export interface PlacedGuest {
  place: MachinePlace;
  guest: Guest;
  /** Whether it has the container engines' programs. */
  engines: boolean;
  /** Whether it has slots, for a lab that may be detached. */
  kept: boolean;
  cards: Host['cards'];
}

export interface Starting {
  images: GuestImages;
  accelerator: Accelerator;
  /** The number of guests in the lab. */
  count: GuestCount;
  /** The folder of the slots' socket files, for a lab that may be detached. */
  folder: string | undefined;
  cables: readonly Cable[];
}

/** A guest without its NICs: the same in every lab of this kind. */
function planOf(place: MachinePlace, { images, accelerator, count, folder }: Starting) {
  // With several processors, TCG may run an instruction on one while another changes it. The kernel changes its static
  // branches that way, which ends in "Oops: int3".
  const processors = accelerator === 'kvm' ? Math.min(availableParallelism(), count > 1 ? 2 : 4) : 1;
  return {
    ...{ name: place.name, accelerator, processors, memory: memoryOf(place), ports: [...portsOf(place).keys()] },
    ...{ kernel: images.kernel, initramfs: images.initramfs, root: images.root },
    ...(images.engines !== undefined && { engines: images.engines }),
    ...(folder !== undefined && { slots: slotFiles(place, folder) }),
  };
}

/** What a place's guest is like when its state is saved. */
export function stateRecipe(place: MachinePlace, starting: Starting): StateRecipe {
  const cards = cableEnds(place, starting.cables).length;
  const script = commonScript({ ...layoutOf(place), cards: cards > 0, engines: starting.images.engines !== undefined });
  return { guest: { ...planOf(place, starting), cards }, script: [...script, ...warmingScript()] };
}

/**
 * Starts guests. The one with the switch must be the first: it creates the cables, and the other guests get their other ends.
 * @param states those from which guests resume, by place; the other guests boot
 * @param complaints receives the splats of all their kernels
 */
export function starter(
  starting: Starting,
  states: ReadonlyMap<MachinePlace, SavedMachine>,
  complaints: KernelSplat[],
): (place: MachinePlace) => PlacedGuest {
  const { images, folder, cables } = starting;
  const loose = new Map<Cable, Socket>();
  return (place) => {
    const ends = cableEnds(place, cables).map((end) => ({ ...end, mac: randomMac(), other: loose.get(end.cable) }));
    const state = states.get(place);
    const guest = Guest.start({
      ...planOf(place, starting),
      complaints,
      ...(state && { state }),
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

/** The nodes that are namespaces in a guest. */
export function layoutOf({ nodes, own }: MachinePlace): { namespaces: NodeName[] } {
  return { namespaces: nodes.filter((node) => node !== own) };
}

/** The serial ports of a guest that have an sshd, each with the sshd's namespace. */
export function portsOf({ nodes, own }: MachinePlace): Map<string, NodeName | undefined> {
  const namespaces = nodes.filter((node) => node !== own);
  return new Map([[own ?? 'machine', undefined], ...namespaces.map((node) => [node, node] as const)]);
}

/** The slots of a guest, each with the port whose sshd command it runs. */
export function slotsOfPlace(place: MachinePlace): Map<string, string> {
  return new Map([...portsOf(place).keys()].flatMap((port) => slotsOf(port).map((slot) => [slot, port] as const)));
}

function slotFiles(place: MachinePlace, folder: string): Map<string, string> {
  return new Map([...slotsOfPlace(place).keys()].map((slot) => [slot, slotFile(folder, slot)]));
}

/** The memory of a guest in MiB. */
export function memoryOf({ nodes }: MachinePlace): number {
  return nodes.length > 1 ? guestMemory.several : guestMemory.node;
}

/** Ends all guests when one dies, so that no caller waits for the others. @returns a function that returns the first death's reason */
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
