/** The available kernels: those of the archive, and those that are now only in the cache. */
import { MacvlabError } from '../../core/error.js';
import type { OnProgress } from './apt.js';
import { byVersion, type DebianKernel, loadCatalogue } from './catalogue.js';
import { cachedKernels } from './debian-kernel.js';

export interface KnownKernel extends DebianKernel {
  /** Whether it is in the cache, so that no download is needed. */
  fetched: boolean;
  /** Its folder in the cache. */
  folder?: string;
}

export interface KnownKernelOptions {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Receives the reason why only kernels of the cache are listed. */
  onMissing?: (error: MacvlabError) => void;
}

/**
 * All of them, from the oldest to the newest. Where the archive cannot be reached, those in the cache are all.
 * @throws MacvlabError KERNEL_FETCH when the archive cannot be reached and the cache is empty; CACHE_NOT_WRITABLE
 */
export async function knownKernels({ onMissing, ...options }: KnownKernelOptions = {}): Promise<KnownKernel[]> {
  const cached = cachedKernels().map((kernel) => ({ ...kernel, fetched: true }));
  const folders = new Map(cached.map((kernel) => [nameOf(kernel), kernel.folder]));
  const inArchive = await offered().catch((error: unknown) => {
    if (cached.length === 0 || !(error instanceof MacvlabError) || error.code !== 'KERNEL_FETCH') throw error;
    onMissing?.(error);
    return [];
  });
  const known = new Set(inArchive.map(nameOf));
  return [...inArchive, ...cached.filter((kernel) => !known.has(nameOf(kernel)))].sort(byVersion);

  async function offered(): Promise<KnownKernel[]> {
    return (await loadCatalogue(options)).map((kernel) => {
      const folder = folders.get(nameOf(kernel));
      return { ...kernel, fetched: folder !== undefined, ...(folder !== undefined && { folder }) };
    });
  }
}

function nameOf({ release, version }: DebianKernel): string {
  return `${release} ${version}`;
}
