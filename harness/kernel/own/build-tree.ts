/** A kernel's build tree, or its O= folder: the files that its build has created. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';

/** The image's path in a tree: Makefile's image_name for x86. */
const imageInTree = 'arch/x86/boot/bzImage';

/** The build tree that contains an image. */
export function treeOf(image: string): string | undefined {
  return /^(.*)\/arch\/x86(?:_64)?\/boot\/bzImage$/.exec(image)?.[1];
}

/** Whether a folder is a kernel's build tree, built or not: configured, or the source itself. */
export function isBuildTree(folder: string): boolean {
  const signs = [imageInTree, 'include/config/auto.conf', 'arch/x86/Kconfig'];
  return signs.some((sign) => existsSync(join(folder, sign)));
}

/**
 * The image in a tree.
 * @param path the tree as it was given, for errors
 * @throws MacvlabError KERNEL_UNSUITABLE when it is not built yet, with the commands that build it; KERNEL_UNKNOWN when
 *   the folder is not a tree
 */
export async function imageOfTree(tree: string, path: string): Promise<string> {
  const image = join(tree, imageInTree);
  if (existsSync(image)) return image;
  const configured = existsSync(join(tree, '.config'));
  if (configured || isBuildTree(tree)) {
    const build = 'make -j$(nproc) bzImage modules';
    throw new MacvlabError(
      'KERNEL_UNSUITABLE',
      `${path} is a kernel’s tree that is not built: it has no ${imageInTree}`,
      {
        next: configured
          ? `cd ${path} && ${build}`
          : `cd ${path} && make defconfig && ${build}; or, if it was built with O=, give that folder`,
      },
    );
  }
  const images = await imagesIn(tree);
  throw new MacvlabError('KERNEL_UNKNOWN', `${path} is a folder, and no kernel was built in it`, {
    evidence: images.length === 0 ? undefined : `it has ${images.join(', ')}`,
    next: `give ${images[0] ? `the image itself: ${join(path, images[0])}` : 'a bzImage, or the top folder of a kernel’s build tree'}`,
  });
}

/** Files that look like images by their names, in a folder or its boot/. */
async function imagesIn(folder: string): Promise<string[]> {
  const parts = ['', 'boot'].map(async (part) => {
    const names = await readdir(join(folder, part)).catch(() => []);
    return names.filter((name) => /^(vmlinuz|bzImage)/.test(name)).map((name) => join(part, name));
  });
  return (await Promise.all(parts)).flat().sort();
}

/** The release that a tree builds now. It differs from its image's after a new configuration or checkout. */
export async function releaseOfTree(tree: string): Promise<string | undefined> {
  const text = await readFile(join(tree, 'include/config/kernel.release'), 'utf8').catch(() => undefined);
  return text?.trim();
}

/**
 * The modules that a tree has built.
 * @returns modules.order's lines as files in the tree; older and newer kernels write `kernel/net/foo.ko` and
 *   `net/foo.o`
 * @throws MacvlabError KERNEL_UNSUITABLE when they are not built, or not completely
 */
export async function modulesOfTree(tree: string, path: string): Promise<string[]> {
  const next = `make -C ${path} -j$(nproc) modules`;
  const order = await readFile(join(tree, 'modules.order'), 'utf8').catch(() => undefined);
  if (order === undefined) {
    throw new MacvlabError('KERNEL_UNSUITABLE', `${path} has its image built, but not its modules`, { next });
  }
  const files = order
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^kernel\//, '').replace(/\.o$/, '.ko'));
  const there = await Promise.all(files.map((file) => stat(join(tree, file)).catch(() => undefined)));
  const missing = files.filter((_, index) => !there[index]);
  if (missing.length > 0) {
    const which = missing.length === 1 ? `${missing[0]} is` : `${missing[0]} and ${missing.length - 1} more are`;
    throw new MacvlabError('KERNEL_UNSUITABLE', `${path} has not all of its modules built: ${which} missing`, { next });
  }
  return files;
}
