/** The images that a guest boots from: a kernel, an initramfs for it, and the root image of all guests. */
import { refuseUnsuitable } from '../kernel/config-check.js';
import { findCachedKernel } from '../kernel/debian/debian-kernel.js';
import { resolveKernel } from '../kernel/resolve.js';
import { vmlinuxOf } from '../kernel/image/vmlinux.js';
import { engineImageOf, findEngineTree } from './engine-tree.js';
import { initramfs } from './initramfs.js';
import { findRootImage, rootImage } from './root-image.js';
import { refuseCutOff } from './whole.js';

export interface ImageOptions {
  /** A version, a release, a suite, or the path of a user's own kernel; the default kernel if absent. */
  kernel?: string;
  /** Folder with the modules of a user's own kernel. */
  modules?: string;
  /** The number of guests in a lab. */
  guests: 1 | 3;
  /** Receives messages about slow steps: fetching a kernel, building images. */
  remark?: (line: string) => void;
}

export interface GuestImages {
  /** The kernel's release, and its source. */
  name: string;
  /** A bzImage, or the ELF file in it where the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  root: string;
  /** A squashfs of the container engines' programs, if it exists. */
  engines?: string;
}

/**
 * All images of a guest; those that are not in the cache are downloaded and created first.
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

/** The images in the cache, as text for the user. Reads only the cache. */
export function findImages({ kernel }: Pick<ImageOptions, 'kernel'>): { kernel?: string; root?: string } {
  const cached = kernel?.includes('/') ? undefined : findCachedKernel(kernel);
  const root = findRootImage();
  return { ...(cached && { kernel: `${cached.release} (${cached.origin})` }), ...(root && { root }) };
}
