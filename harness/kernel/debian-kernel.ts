/** Debian's kernels as a guest boots them: fetched, unpacked, and kept in the cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheEntry, cacheFolder, findEntry } from '../core/cache.js';
import { MacvlabError } from '../core/error.js';
import { runProgram } from '../core/program.js';
import { findProgram } from '../setup/machine.mjs';
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
import type { Kernel } from './kernel.js';
import { debianKernelSchema } from './package-lists.js';

export interface DebianKernelOptions {
  /** Fetches the archive's lists anew, and looks for a newer one even if a kernel that is meant is in the cache. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/** A kernel of the archive that is in the cache. */
export interface CachedKernel extends DebianKernel {
  /** Holds vmlinuz, config and lib/modules/<release>. */
  folder: string;
}

/** What an entry of the cache says of itself; written last. */
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
    // Not one of ours, or the machine lost power before all of it was on the disk.
    return undefined;
  }
}

function isWhole(folder: string, { release }: DebianKernel): boolean {
  return ['vmlinuz', 'config', `lib/modules/${release}/modules.dep`].every((name) => existsSync(join(folder, name)));
}

/** A kernel that a person may mean and that is in the cache; undefined when there is none. Asks nobody else. */
export function findCachedKernel(spec?: string): Kernel | undefined {
  const cached = findKernel(cachedKernels(), spec);
  return cached && asKernel(cached);
}

/** A kernel in the cache as guests know it. */
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
 * One of Debian's cloud kernels. One that is in the cache is used as it is, without looking for a newer one, so that a run
 * begins at once; it is also used where the archive cannot be reached.
 * @param spec what findKernel() takes; default: the newest of `defaultKernel`
 * @throws MacvlabError KERNEL_UNKNOWN, naming the nearest; KERNEL_FETCH, TOOL_MISSING, CACHE_NOT_WRITABLE
 */
export async function debianKernel(spec: string | undefined, options: DebianKernelOptions = {}): Promise<Kernel> {
  for await (const kernel of debianKernels([spec ?? defaultKernel], options)) return kernel;
  throw new Error('no kernel came of one that was asked for');
}

/**
 * Several of Debian's cloud kernels, each as soon as it is there; that one of them does not exist is told before any is
 * fetched.
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

/** Whether the archive need not be asked: a release or package version that is in the cache stays what it is. */
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

/** @param offered the archive's; undefined when it has none, or cannot be asked */
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

/** Sees to it that a kernel of the catalogue is in the cache. @throws MacvlabError as debianKernel() */
async function fetchKernel(kernel: DebianKernel, options: DebianKernelOptions): Promise<Kernel> {
  const name = join('kernels', entryName(kernel));
  const found = findEntry(name);
  // Somebody took away a part of it.
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

/** An entry that others may be reading is described anew by another file of the same name. */
function describeKernel(folder: string, kernel: DebianKernel): void {
  const file = join(folder, description);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(kernel, null, 2));
  renameSync(`${file}.${process.pid}`, file);
}

/** A kernel in the cache is found later by what leads to it now. */
function noteLabels(folder: string, kernel: DebianKernel): void {
  const { labels, suites } = readDescription(folder) ?? kernel;
  const changed = [labels, suites].join(' ') !== [kernel.labels, kernel.suites].join(' ');
  if (changed) describeKernel(folder, kernel);
}

/** Unpacks packages, and puts what a guest needs where it is the same for all of Debian's layouts. */
async function layOut(files: readonly string[], release: string, folder: string, signal?: AbortSignal): Promise<void> {
  const unpacked = join(folder, 'unpacked');
  for (const file of files) await unpack(file, unpacked, signal);
  const pick = (places: readonly string[], target: string) => {
    const place = places.map((name) => join(unpacked, name)).find((name) => existsSync(name));
    if (place === undefined) throw incomplete(release, places);
    renameSync(place, join(folder, target));
  };
  // From 6.13 on, modules lie below /usr; from 6.19 on, image and config lie with them.
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
