/** Whether this machine has the memory that guests need: QEMU takes it bit by bit, and would be killed in the middle. */
import { readFileSync } from 'node:fs';
import { MacvlabError } from '../../core/error.js';

/** MiB of a guest that holds one node, and of one that holds several. */
export const guestMemory = { node: 256, several: 512 } as const;
/** MiB that QEMU itself takes for a guest: its translated code above all. */
const qemuOwn = 150;

/**
 * Refuses before any guest is started.
 * @param guests MiB of each
 * @throws MacvlabError GUEST_START saying how much there is
 */
export function refuseWithoutMemory(guests: readonly number[]): void {
  const available = availableMemory();
  const needed = guests.reduce((sum, memory) => sum + memory + qemuOwn, 0);
  if (available === undefined || available >= needed) return;
  throw new MacvlabError(
    'GUEST_START',
    `${guests.length === 1 ? 'a guest needs' : `${guests.length} guests need`} ${needed} MiB of memory, and ${available} MiB are free`,
    { next: 'end something else, use fewer labs side by side (--jobs 1), or one guest (--guests 1)' },
  );
}

/**
 * How many guests that hold all nodes there is memory for, one at least: whether that one fits is told when it is started.
 * @param beside MiB that each needs beside itself: the process that performs it
 */
export function guestsThatFit(beside = 0): number {
  const available = availableMemory();
  return available === undefined
    ? Infinity
    : Math.max(1, Math.floor(available / (guestMemory.several + qemuOwn + beside)));
}

/** MiB that can be had without swapping (proc(5), MemAvailable); undefined where the kernel does not say. */
function availableMemory(): number | undefined {
  const found = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return found === undefined ? undefined : Math.floor(Number(found) / 1024);
}
