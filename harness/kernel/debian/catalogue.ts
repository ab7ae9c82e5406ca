/** The catalogue of Debian's cloud kernels, and the names that a user may give for one of them. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { asCacheError } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { type Apt, askApt } from './apt.js';
import { type FetchOptions, listsUpdated, openArchive } from './archive.js';
import { compareVersions } from './debian-version.js';
import { byVersion, concernsKernels, type DebianKernel, debianKernelSchema, readKernels } from './package-lists.js';

export { byVersion, type DebianKernel } from './package-lists.js';

/** The default: the series of Debian 13, with long-term support upstream. */
export const defaultKernel = '6.12';

/** The suffix of all cloud kernels' releases. */
const flavour = '-cloud-amd64';

/**
 * All cloud kernels of the archive, from the oldest to the newest. Parsed once for each state of the lists.
 * @throws MacvlabError KERNEL_FETCH when the archive cannot be reached and there are no lists; CACHE_NOT_WRITABLE
 */
export async function loadCatalogue(options: Omit<FetchOptions, 'suite'> = {}): Promise<DebianKernel[]> {
  const apt = await openArchive(options);
  const state = listsUpdated(apt);
  const file = join(apt.folder, 'kernels.json');
  const parsed = readParsed(file);
  if (parsed && parsed.state === state) return parsed.kernels;
  try {
    const kernels = await parse(apt, options.signal);
    writeFileSync(`${file}.${process.pid}`, JSON.stringify({ state, kernels }));
    renameSync(`${file}.${process.pid}`, file);
    return kernels;
  } catch (error) {
    throw asCacheError(error, apt.folder);
  }
}

const parsedLists = z.object({ state: z.number().optional(), kernels: z.array(debianKernelSchema) });

function readParsed(file: string): z.infer<typeof parsedLists> | undefined {
  try {
    return parsedLists.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not parsed yet, or parsed by another version of macvlab.
    return undefined;
  }
}

async function parse(apt: Apt, signal?: AbortSignal): Promise<DebianKernel[]> {
  const what = 'read the lists of packages';
  const all = await askApt(apt, ['apt-cache', 'pkgnames', 'linux-'], what, signal);
  const names = all.split('\n').filter(concernsKernels);
  if (names.length === 0) return [];
  const [stanzas, table] = await Promise.all([
    askApt(apt, ['apt-cache', 'show', ...names], what, signal),
    askApt(apt, ['apt-cache', 'madison', ...names], what, signal),
  ]);
  return readKernels(stanzas, table);
}

/**
 * Whether a kernel matches the user's text: "6.12" (a series), "7.3-rc" (candidates of one), "6.12.94" or "7.3-rc7" (a
 * version), "6.1.0-56" or the whole "6.1.0-56-cloud-amd64" (a release), "6.1.192-2" (Debian's version), "trixie" (a
 * suite's current one), "newest".
 */
function isMeant(kernel: DebianKernel, spec: string): boolean {
  const { release, upstream, version, labels } = kernel;
  const said = spec === 'unstable' ? 'sid' : spec.replace(/^v(?=\d)/, '').replace('~rc', '-rc');
  if (spec === version || [release, bareRelease(kernel), upstream, version, ...labels].includes(said)) return true;
  if (/^\d+\.\d+-rc$/.test(said)) return upstream.startsWith(said);
  return /^\d+(?:\.\d+)*$/.test(said) && ['.', '-'].some((next) => upstream.startsWith(said + next));
}

/** "6.1.0-56" of "6.1.0-56-cloud-amd64". */
export function bareRelease({ release }: DebianKernel): string {
  return release.slice(0, -flavour.length);
}

/** All matching kernels, from the oldest to the newest. */
export function kernelsMeant<K extends DebianKernel>(kernels: readonly K[], spec: string): K[] {
  return kernels.filter((kernel) => isMeant(kernel, spec)).sort(byVersion);
}

/**
 * The newest matching kernel, by Debian's order of versions. A kernel of its own release has priority over a rebuild
 * for an older release.
 */
export function findKernel<K extends DebianKernel>(kernels: readonly K[], spec = defaultKernel): K | undefined {
  return kernelsMeant(kernels, spec).at(-1);
}

/** "6.12" of "6.12.94". */
export function seriesOf({ upstream }: DebianKernel): string {
  return /^\d+\.\d+/.exec(upstream)?.[0] ?? upstream;
}

/** @returns the error for a kernel that does not exist, which names the nearest ones */
export function unknownKernel(kernels: readonly DebianKernel[], spec: string): MacvlabError {
  const near = nearest(kernels, spec);
  const labels = [...new Set(kernels.flatMap((kernel) => kernel.labels))];
  return new MacvlabError('KERNEL_UNKNOWN', `there is no kernel “${spec}” among Debian’s cloud kernels`, {
    evidence: near.length > 0 ? `nearest: ${near.join(', ')}` : `names that lead to one: ${labels.join(', ')}`,
    next: 'choose one from `macvlab kernels list`, or give one of your own: --kernel path/to/bzImage',
  });
}

/** The kernels before and after the user's text: in its series; or whole series, where that one does not exist. */
function nearest(kernels: readonly DebianKernel[], spec: string): string[] {
  const said = /^v?(\d[^_]*?)(?:-cloud-amd64)?$/.exec(spec)?.[1];
  if (said === undefined) return [];
  const sameSeries = kernels.filter((kernel) => seriesOf(kernel) === /^\d+\.\d+/.exec(said)?.[0]);
  const nameOf = /[-+]/.test(said) ? bareRelease : ({ upstream }: DebianKernel) => upstream;
  const names = sameSeries.length > 0 ? sameSeries.map(nameOf) : kernels.map(seriesOf);
  const sorted = [...new Set(names)].sort(compareVersions);
  const after = sorted.findIndex((name) => compareVersions(name, said) > 0);
  return after < 0 ? sorted.slice(-2) : sorted.slice(Math.max(after - 1, 0), after + 1);
}
