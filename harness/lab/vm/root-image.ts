/** The root image that all guests share: a read-only squashfs of a few Debian packages. */
import { chmodSync, copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { busyboxIn, findRoot, type RootForm, rootOf, type RootOptions } from '../root-tree.js';
import { squash } from '../squash.js';

export type RootImageOptions = RootOptions;

const imageFile = 'root.squashfs';

/** A squashfs, and the static busybox beside it. */
export const squashed: RootForm = {
  of: 'guests',
  what: 'root image',
  folder: 'root-images',
  file: imageFile,
  tools: ['mksquashfs'],
  async pack(tree, folder, signal) {
    const busybox = join(folder, 'busybox');
    copyFileSync(busyboxIn(tree), busybox);
    chmodSync(busybox, 0o755);
    await squash(tree, join(folder, imageFile), 'the guests’ root image', signal);
  },
};

/**
 * The root image's file. One that is in the cache is found without a look at the network.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function rootImage(options: RootImageOptions = {}): Promise<string> {
  return rootOf(squashed, options);
}

/** The image in the cache that was made last, if there is one. */
export function findRootImage(): string | undefined {
  return findRoot(squashed);
}

/** The static busybox that lies beside a root image. */
export function busyboxOf(image: string): string {
  return join(dirname(image), 'busybox');
}
