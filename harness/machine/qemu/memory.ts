/** Whether this machine has enough memory for guests. QEMU allocates memory gradually, so the kernel would kill it later. */
import { readFileSync } from 'node:fs';
import { MacvlabError } from '../../core/error.js';

/** MiB of a guest with one node, and of a guest with several. */
export const guestMemory = { node: 256, several: 512 } as const;
/** MiB that QEMU itself needs for a guest, mainly for its translated code. */
const qemuOwn = 150;

/**
 * Checks the memory before any guest is started.
 * @param guests MiB of each
 * @throws MacvlabError GUEST_START with the amount of free memory
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
 * The number of guests with all nodes that fit into memory; at least 1, because the start of a guest checks whether it
 * fits.
 * @param beside additional MiB for each guest: the process that runs it
 */
export function guestsThatFit(beside = 0): number {
  const available = availableMemory();
  return available === undefined
    ? Infinity
    : Math.max(1, Math.floor(available / (guestMemory.several + qemuOwn + beside)));
}

/** MiB that are available without swapping (proc(5), MemAvailable); undefined if the kernel does not report it. */
function availableMemory(): number | undefined {
  const found = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return found === undefined ? undefined : Math.floor(Number(found) / 1024);
}
