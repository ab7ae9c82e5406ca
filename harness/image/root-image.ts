/** The root image that all guests share: a read-only squashfs of a few Debian packages. */
import { chmodSync, copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { busyboxIn, findRoot, type RootForm, rootOf, type RootOptions } from './root-tree.js';
import { squash } from './squash.js';

export type RootImageOptions = RootOptions;

const imageFile = 'root.squashfs';

/** A squashfs, and the static busybox next to it. */
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
 * The root image's file. If it is in the cache, no network access is needed.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function rootImage(options: RootImageOptions = {}): Promise<string> {
  return rootOf(squashed, options);
}

/** The newest image in the cache, if there is one. */
export function findRootImage(): string | undefined {
  return findRoot(squashed);
}

/** The static busybox next to a root image. */
export function busyboxOf(image: string): string {
  return join(dirname(image), 'busybox');
}
