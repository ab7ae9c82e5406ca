/** A user's own kernel: a bzImage, or the build tree that it is in. */
import type { Kernel } from './kernel.js';

export interface OwnKernelOptions {
  /** Where the image's modules are: a folder that has lib/modules/<release>, or that folder itself. */
  modules?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Hears of what takes time, a line each. */
  onProgress?: (line: string) => void;
}

/**
 * The kernel at a path.
 * @param path a bzImage, or the top folder of a kernel's build tree
 * @throws MacvlabError KERNEL_UNKNOWN when there is none, saying what is there instead; KERNEL_UNSUITABLE when its tree is
 *   not built or its modules are another kernel's
 */
export async function ownKernel(path: string, options: OwnKernelOptions = {}): Promise<Kernel> {
  options.onProgress?.(path);
  return Promise.reject(new Error('not yet'));
}
