/** What a guest boots from: a kernel, an initramfs for it, and the root image that all guests share. */
import { refuseUnsuitable } from '../../kernel/config-check.js';
import { findCachedKernel } from '../../kernel/debian-kernel.js';
import { resolveKernel } from '../../kernel/resolve.js';
import { vmlinuxOf } from '../../kernel/vmlinux.js';
import { engineImageOf, findEngineTree } from '../engine-tree.js';
import { initramfs } from './initramfs.js';
import { findRootImage, rootImage } from './root-image.js';
import type { GuestCount } from './shapes.js';
import { refuseCutOff } from './whole.js';

export interface ImageOptions {
  /** A version, a release, a suite, or the path of one's own kernel; the default kernel without. */
  kernel?: string;
  /** Folder with the modules of one's own kernel. */
  modules?: string;
  guests: GuestCount;
  /** Told what takes time: fetching a kernel, building images. */
  remark?: (line: string) => void;
}

export interface GuestImages {
  /** The kernel's release, and where it comes from. */
  name: string;
  /** A bzImage, or the ELF file in it where the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  root: string;
  /** A squashfs of the container engines' programs, where that has been made. */
  engines?: string;
}

/**
 * Everything that guests boot from; what is not in the cache is fetched and made first.
 * @throws MacvlabError KERNEL_UNKNOWN, KERNEL_FETCH, KERNEL_UNSUITABLE, TOOL_MISSING, CACHE_NOT_WRITABLE, CACHE_DAMAGED
 */
export async function guestImages({ kernel: spec, modules, guests, remark }: ImageOptions): Promise<GuestImages> {
  const kernel = await resolveKernel(spec, { modules, onProgress: remark });
  refuseUnsuitable(kernel, guests === 1 ? 'one guest' : 'three guests');
  const root = await rootImage({ onProgress: remark });
  const [entry, archive] = await Promise.all([vmlinuxOf(kernel), initramfs(kernel, { onProgress: remark })]);
  const name =
    kernel.name === kernel.release ? `${kernel.release} (${kernel.origin})` : `${kernel.release} (${kernel.name})`;
  const tree = findEngineTree();
  const engines = tree === undefined ? undefined : engineImageOf(tree);
  refuseCutOff(archive, root, ...(engines === undefined ? [] : [engines]));
  return { name, kernel: entry ?? kernel.image, initramfs: archive, root, ...(engines && { engines }) };
}

/** What of it is in the cache, as one would name it to the user. Looks only, and at nothing but the cache. */
export function findImages({ kernel }: Pick<ImageOptions, 'kernel'>): { kernel?: string; root?: string } {
  const cached = kernel?.includes('/') ? undefined : findCachedKernel(kernel);
  const root = findRootImage();
  return { ...(cached && { kernel: `${cached.release} (${cached.origin})` }), ...(root && { root }) };
}
