/** The kernel, initramfs and accelerator of a machine with its own disk and init, which another program creates (Vagrant). */
import { resolveKernel } from '../../kernel/resolve.js';
import { vmlinuxOf } from '../../kernel/image/vmlinux.js';
import { type Acceleration, acceleration } from './acceleration.js';
import { guestImages, type ImageOptions } from '../../image/images.js';
import { machineInitramfs } from '../../image/initramfs.js';
import { kernelArguments, slowness } from './qemu.js';

export interface MachineBoot {
  /** The kernel's release, and its source. */
  name: string;
  release: string;
  /** A bzImage, or the ELF file in it if the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  /** Arguments of the kernel. */
  arguments: string;
  acceleration: Acceleration;
  /** The factor by which the machine is slower than with KVM. */
  slowness: number;
}

/**
 * Downloads and creates them, and tries KVM with a guest, unless the result is available already.
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
