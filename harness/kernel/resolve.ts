/** Finds the kernel for the user's text. */
import { existsSync } from 'node:fs';
import { MacvlabError } from '../core/error.js';
import type { OnProgress } from './debian/apt.js';
import { debianKernel } from './debian/debian-kernel.js';
import type { Kernel } from './kernel.js';
import { ownKernel } from './own/own-kernel.js';

export interface ResolveOptions {
  /** The folder with the modules of a user's own kernel. */
  modules?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/**
 * The kernel for the user's text: a path is a user's own kernel, everything else one of Debian's.
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

/** An existing file or folder is a path, unless its name is a version: the user names a folder "6.12" as "./6.12". */
export function isPath(spec: string): boolean {
  return spec.includes('/') || (existsSync(spec) && !/^\d+(?:\.\d+)*$/.test(spec));
}
