/** What a machine boots with that has a disk and an init of its own, and what it runs on: as guests do, for labs of somebody else's making. */
import { resolveKernel } from '../../kernel/resolve.js';
import { vmlinuxOf } from '../../kernel/vmlinux.js';
import { type Acceleration, acceleration } from './acceleration.js';
import { guestImages, type ImageOptions } from './images.js';
import { machineInitramfs } from './initramfs.js';
import { kernelArguments, slowness } from './qemu.js';

export interface MachineBoot {
  /** The kernel's release, and where it comes from. */
  name: string;
  release: string;
  /** A bzImage, or the ELF file in it where the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  /** Words for the kernel. */
  arguments: string;
  acceleration: Acceleration;
  /** How many times as long as with KVM everything takes. */
  slowness: number;
}

/**
 * Fetches and makes it; and tries KVM with a guest of our own, unless that is known.
 * @throws MacvlabError KERNEL_UNKNOWN, KERNEL_FETCH, KERNEL_UNSUITABLE, TOOL_MISSING, CACHE_NOT_WRITABLE, CACHE_DAMAGED
 */
export async function machineBoot(options: Omit<ImageOptions, 'guests'>): Promise<MachineBoot> {
  const { kernel: spec, modules, remark } = options;
  const images = await guestImages({ ...options, guests: 3 });
  const found = await acceleration(images, remark);
  const kernel = await resolveKernel(spec, { modules, onProgress: remark });
  const [entry, archive] = await Promise.all([vmlinuxOf(kernel), machineInitramfs(kernel, { onProgress: remark })]);
  return {
    name: images.name,
    release: kernel.release,
    kernel: entry ?? kernel.image,
    initramfs: archive,
    arguments: kernelArguments.join(' '),
    acceleration: found,
    slowness: slowness[found.kind],
  };
}

export { knownAcceleration } from './acceleration.js';
