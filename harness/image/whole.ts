/** Checks that files of the cache have their full length: a full disk or a power failure may have truncated one. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { MacvlabError } from '../core/error.js';

/**
 * Refuses truncated images, before a guest is started.
 * @throws MacvlabError CACHE_DAMAGED naming the file, and what to remove so that it is created again
 */
export function refuseCutOff(initramfs: string, ...images: string[]): void {
  if (!endsAsArchive(initramfs)) throw damaged(initramfs);
  for (const image of images) if (!holdsItsFileSystem(image)) throw damaged(image);
}

/** The last entry of a cpio archive has this name, followed by its NUL and padding (cpio(5)). */
function endsAsArchive(file: string): boolean {
  return ends(file, ({ read, size }) => read(Math.max(0, size - 512), 512).includes('TRAILER!!!\0'));
}

/** The superblock of a squashfs has its magic, and the bytes used at 40 (Linux, fs/squashfs/squashfs_fs.h). */
function holdsItsFileSystem(file: string): boolean {
  return ends(file, ({ read, size }) => {
    const superblock = read(0, 96);
    return superblock.toString('latin1', 0, 4) === 'hsqs' && superblock.readBigUInt64LE(40) <= size;
  });
}

interface Opened {
  read: (offset: number, length: number) => Buffer;
  size: number;
}

/** A file that cannot be opened or read to its end also counts as truncated. */
function ends(file: string, isWhole: (opened: Opened) => boolean): boolean {
  let fd: number | undefined;
  try {
    const opened = (fd = openSync(file, 'r'));
    const read = (offset: number, length: number) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(opened, buffer, 0, length, offset));
    };
    return isWhole({ read, size: fstatSync(opened).size });
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function damaged(file: string): MacvlabError {
  return new MacvlabError('CACHE_DAMAGED', `${file} is not whole, or cannot be read`, {
    next: `remove its folder, and it is made again: rm -r ${dirname(file)}`,
  });
}
