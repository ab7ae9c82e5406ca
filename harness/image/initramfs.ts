/** A guest's initramfs, one per kernel: a static busybox, the modules that guests may load, and their first process. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheEntry, findEntry } from '../core/cache.js';
import type { Kernel } from '../kernel/kernel.js';
import { cpioArchive, type CpioEntry } from './cpio.js';
import { guestInit, machineInit } from './guest-init.js';
import { bootModules, gatherModules, indexModules, networkModules } from './guest-modules.js';
import { busyboxOf, rootImage, type RootImageOptions } from './root-image.js';

/** Raised when these files create a different result from the same kernel and the same lists. */
const maker = 1;

const archive = 'initramfs.cpio';

/** The first process: of a guest, or of a machine with its own init. */
type Init = typeof guestInit;

/**
 * The initramfs of a kernel, an uncompressed cpio archive: a guest would need longer to unpack than to read.
 * @throws MacvlabError KERNEL_UNSUITABLE when the kernel cannot boot a guest; TOOL_MISSING, CACHE_NOT_WRITABLE,
 *   PROGRAM_FAILED; errors of `rootImage`
 */
export async function initramfs(kernel: Kernel, options: Omit<RootImageOptions, 'refresh'> = {}): Promise<string> {
  return made(kernel, guestInit, options);
}

/** The initramfs for a machine whose disk has its own init. @throws MacvlabError as {@link initramfs} */
export async function machineInitramfs(
  kernel: Kernel,
  options: Omit<RootImageOptions, 'refresh'> = {},
): Promise<string> {
  return made(kernel, machineInit, options);
}

async function made(kernel: Kernel, init: Init, options: Omit<RootImageOptions, 'refresh'>): Promise<string> {
  const recipe = [maker, [...bootModules], networkModules, init('', [])];
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const name = `initramfs/${kernel.id}-${digest}`;
  const known = findEntry(name);
  if (known) return join(known, archive);
  const busybox = busyboxOf(await rootImage(options));
  const entry = await cacheEntry(name, async (folder) => {
    const entries = await initramfsEntries(kernel, init, busybox, join(folder, 'work'), options.signal);
    writeFileSync(join(folder, archive), cpioArchive(entries));
    rmSync(join(folder, 'work'), { recursive: true });
  });
  return join(entry, archive);
}

/**
 * The contents of a kernel's initramfs.
 * @param busybox a static one
 * @param work a temporary folder for the modules
 */
async function initramfsEntries(
  kernel: Kernel,
  init: Init,
  busybox: string,
  work: string,
  signal?: AbortSignal,
): Promise<CpioEntry[]> {
  const inside = `lib/modules/${kernel.release}`;
  const folder = join(work, inside);
  mkdirSync(folder, { recursive: true });
  const boot = await gatherModules(kernel, folder, signal);
  if (kernel.modules !== undefined) await indexModules(work, kernel.release, signal);
  const folders = ['bin', 'dev', 'lib', 'lib/modules', inside, 'low', 'new', 'proc', 'rw', 'sys'];
  return [
    ...folders.map((name) => ({ name, folder: true as const })),
    // The kernel opens it for PID 1, before anything is mounted there.
    { name: 'dev/console', device: [5, 1] },
    { name: 'bin/busybox', content: readFileSync(busybox), executable: true },
    { name: 'init', content: init(kernel.release, boot), executable: true },
    ...readdirSync(folder)
      .sort()
      .map((name) => ({ name: `${inside}/${name}`, content: readFileSync(join(folder, name)) })),
  ];
}
