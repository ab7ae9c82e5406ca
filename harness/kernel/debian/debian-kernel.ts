/** Debian's kernels for guests: downloads and unpacks them, and stores them in the cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheEntry, cacheFolder, findEntry } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { findProgram } from '../../setup/machine.mjs';
import type { OnProgress } from './apt.js';
import { dropDownloads, fetchPackages } from './archive.js';
import {
  bareRelease,
  type DebianKernel,
  defaultKernel,
  findKernel,
  loadCatalogue,
  unknownKernel,
} from './catalogue.js';
import type { Kernel } from '../kernel.js';
import { debianKernelSchema } from './package-lists.js';

export interface DebianKernelOptions {
  /** Downloads the archive's lists again, and looks for a newer kernel even if a matching one is in the cache. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/** A kernel of the archive that is in the cache. */
export interface CachedKernel extends DebianKernel {
  /** Holds vmlinuz, config and lib/modules/<release>. */
  folder: string;
}

/** The description of a cache entry; written last. */
const description = 'kernel.json';

/** All of Debian's kernels that are in the cache. */
export function cachedKernels(): CachedKernel[] {
  const root = join(cacheFolder(), 'kernels');
  const names = existsSync(root) ? readdirSync(root).filter((name) => !name.endsWith('.part')) : [];
  return names.flatMap((name) => {
    const folder = join(root, name);
    const kernel = readDescription(folder);
    return kernel && isWhole(folder, kernel) ? { ...kernel, folder } : [];
  });
}

function readDescription(folder: string): DebianKernel | undefined {
  try {
    return debianKernelSchema.parse(JSON.parse(readFileSync(join(folder, description), 'utf8')));
  } catch {
    // Not an entry of macvlab, or the machine lost power before all of it was on the disk.
    return undefined;
  }
}

function isWhole(folder: string, { release }: DebianKernel): boolean {
  return ['vmlinuz', 'config', `lib/modules/${release}/modules.dep`].every((name) => existsSync(join(folder, name)));
}

/** A kernel in the cache that matches the user's text; undefined when there is none. Uses only the cache. */
export function findCachedKernel(spec?: string): Kernel | undefined {
  const cached = findKernel(cachedKernels(), spec);
  return cached && asKernel(cached);
}

/** A kernel in the cache, in the form that guests use. */
function asKernel({ folder, release, version, suites }: CachedKernel): Kernel {
  return {
    name: release,
    release,
    image: join(folder, 'vmlinuz'),
    modules: folder,
    config: readFileSync(join(folder, 'config'), 'utf8'),
    origin: `Debian ${suites[0] ?? ''}, ${version}`,
    id: entryName({ release, version }),
  };
}

function entryName({ release, version }: Pick<DebianKernel, 'release' | 'version'>): string {
  return `${release}_${version}`;
}

/**
 * One of Debian's cloud kernels. A kernel in the cache is used without a search for a newer one, so that a run begins
 * at once. It is also used where the archive cannot be reached.
 * @param spec what findKernel() takes; default: the newest of `defaultKernel`
 * @throws MacvlabError KERNEL_UNKNOWN, naming the nearest; KERNEL_FETCH, TOOL_MISSING, CACHE_NOT_WRITABLE
 */
export async function debianKernel(spec: string | undefined, options: DebianKernelOptions = {}): Promise<Kernel> {
  for await (const kernel of debianKernels([spec ?? defaultKernel], options)) return kernel;
  throw new Error('no kernel came of one that was asked for');
}

/**
 * Several of Debian's cloud kernels, each as soon as it is available. An error for a kernel that does not exist comes
 * before any download.
 * @throws MacvlabError as debianKernel()
 */
export async function* debianKernels(
  specs: readonly string[],
  options: DebianKernelOptions = {},
): AsyncGenerator<Kernel> {
  const offered = specs.every((spec) => isSettled(spec, options)) ? [] : await offeredKernels(specs, options);
  for (const spec of specs) {
    if (!findKernel(offered, spec) && !findCachedKernel(spec)) throw unknownKernel(offered, spec);
  }
  for (const spec of specs) yield await fetchedOrCached(spec, findKernel(offered, spec), options);
}

/** Whether the archive is not needed: a release or package version in the cache does not change. */
function isSettled(spec: string, { refresh = false }: DebianKernelOptions): boolean {
  const cached = findKernel(cachedKernels(), spec);
  return cached !== undefined && (!refresh || [cached.release, bareRelease(cached), cached.version].includes(spec));
}

async function offeredKernels(specs: readonly string[], options: DebianKernelOptions): Promise<DebianKernel[]> {
  try {
    return await loadCatalogue(options);
  } catch (error) {
    if (!isUnreachable(error) || !specs.every((spec) => findCachedKernel(spec))) throw error;
    options.onProgress?.(error.message);
    return [];
  }
}

/** @param offered the archive's kernel; undefined when it has none, or cannot be reached */
async function fetchedOrCached(
  spec: string,
  offered: DebianKernel | undefined,
  options: DebianKernelOptions,
): Promise<Kernel> {
  const cached = findCachedKernel(spec);
  if (cached && (!offered || isSettled(spec, options))) return cached;
  if (!offered) throw unknownKernel([], spec);
  try {
    return await fetchKernel(offered, options);
  } catch (error) {
    if (!cached || !isUnreachable(error)) throw error;
    options.onProgress?.(`${error.message}: using ${cached.name}, which was fetched before`);
    return cached;
  }
}

function isUnreachable(error: unknown): error is MacvlabError {
  return error instanceof MacvlabError && error.code === 'KERNEL_FETCH';
}

/** Makes sure that a kernel of the catalogue is in the cache. @throws MacvlabError as debianKernel() */
async function fetchKernel(kernel: DebianKernel, options: DebianKernelOptions): Promise<Kernel> {
  const name = join('kernels', entryName(kernel));
  const found = findEntry(name);
  // A part of it was deleted.
  if (found && !(readDescription(found) && isWhole(found, kernel))) rmSync(found, { recursive: true });
  const folder = await cacheEntry(name, async (unfinished) => {
    const downloads = join(unfinished, 'packages');
    const files = await fetchPackages(kernel.packages, downloads, { ...options, refresh: false, name: kernel.release });
    options.onProgress?.(`unpacking ${kernel.release}`);
    await layOut(files, kernel.release, unfinished, options.signal);
    rmSync(downloads, { recursive: true });
    describeKernel(unfinished, kernel);
  });
  dropDownloads(kernel.packages);
  noteLabels(folder, kernel);
  return asKernel({ ...kernel, folder });
}

/** Replaces the description of an entry with a new file, because other processes may be reading the old one. */
function describeKernel(folder: string, kernel: DebianKernel): void {
  const file = join(folder, description);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(kernel, null, 2));
  renameSync(`${file}.${process.pid}`, file);
}

/** Stores the names that lead to a kernel now, so that they find it in the cache later. */
function noteLabels(folder: string, kernel: DebianKernel): void {
  const { labels, suites } = readDescription(folder) ?? kernel;
  const changed = [labels, suites].join(' ') !== [kernel.labels, kernel.suites].join(' ');
  if (changed) describeKernel(folder, kernel);
}

/** Unpacks packages, and puts the files for a guest in the same places for all of Debian's layouts. */
async function layOut(files: readonly string[], release: string, folder: string, signal?: AbortSignal): Promise<void> {
  const unpacked = join(folder, 'unpacked');
  for (const file of files) await unpack(file, unpacked, signal);
  const pick = (places: readonly string[], target: string) => {
    const place = places.map((name) => join(unpacked, name)).find((name) => existsSync(name));
    if (place === undefined) throw incomplete(release, places);
    renameSync(place, join(folder, target));
  };
  // From 6.13 on, modules are below /usr; from 6.19 on, image and config are with them.
  const modules = [`lib/modules/${release}`, `usr/lib/modules/${release}`];
  pick([`boot/vmlinuz-${release}`, ...modules.map((name) => `${name}/vmlinuz`)], 'vmlinuz');
  pick([`boot/config-${release}`, ...modules.map((name) => `${name}/config`)], 'config');
  mkdirSync(join(folder, 'lib/modules'), { recursive: true });
  pick(modules, join('lib/modules', release));
  rmSync(unpacked, { recursive: true });
  const depmod = findProgram('depmod');
  if (!depmod) throw toolMissing('depmod', 'kmod');
  await runProgram([depmod, '-b', folder, release], { what: `list the modules of ${release}`, next: again, signal });
}

const again = 'try again; if that does not help, try another version: `macvlab kernels list`';

async function unpack(file: string, folder: string, signal?: AbortSignal): Promise<void> {
  const program = findProgram('dpkg-deb');
  if (!program) throw toolMissing('dpkg-deb', 'dpkg');
  const what = `unpack ${file}`;
  await runProgram([program, '-x', file, folder], { what, code: 'KERNEL_FETCH', next: again, signal });
}

function toolMissing(program: string, name: string): MacvlabError {
  return new MacvlabError('TOOL_MISSING', `${program} is not installed, which Debian’s kernels are unpacked with`, {
    next: `install the package ${name}`,
  });
}

function incomplete(release: string, places: readonly string[]): MacvlabError {
  return new MacvlabError('KERNEL_FETCH', `the packages of ${release} do not hold what a guest needs`, {
    evidence: `none of ${places.join(', ')}`,
    next: 'try another version: `macvlab kernels list`',
  });
}
