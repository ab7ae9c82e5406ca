/** From what a person says to a kernel that can be booted. */
import { existsSync } from 'node:fs';
import { MacvlabError } from '../core/error.js';
import type { OnProgress } from './apt.js';
import { debianKernel } from './debian-kernel.js';
import type { Kernel } from './kernel.js';
import { ownKernel } from './own-kernel.js';

export interface ResolveOptions {
  /** The folder with the modules of a kernel of one's own. */
  modules?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/**
 * The kernel that is meant: a path is one of one's own, everything else one of Debian's.
 * @param spec "path/to/bzImage", "path/to/linux", "6.12", "trixie" ...; default: Debian's of `defaultKernel`
 * @throws MacvlabError as ownKernel() and debianKernel(); USAGE for modules of a kernel that has its own
 */
export async function resolveKernel(spec: string | undefined, options: ResolveOptions = {}): Promise<Kernel> {
  const { modules, signal, onProgress } = options;
  if (spec !== undefined && isPath(spec))
    return ownKernel(spec, { modules, signal, ...(onProgress && { onProgress }) });
  if (modules !== undefined) {
    throw new MacvlabError(
      'USAGE',
      `modules were given, and ${spec === undefined ? 'Debian’s kernel' : `kernel ${spec}`} comes with its own`,
      {
        next: 'leave --modules out, or give the kernel that they belong to: --kernel path/to/bzImage',
      },
    );
  }
  return debianKernel(spec, { signal, onProgress });
}

/** What is there is a path, but for a version: a folder "6.12" in the current one is meant by "./6.12". */
export function isPath(spec: string): boolean {
  return spec.includes('/') || (existsSync(spec) && !/^\d+(?:\.\d+)*$/.test(spec));
}
