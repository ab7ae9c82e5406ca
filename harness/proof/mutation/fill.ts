/** Fills a disk, but only one that was made small for this purpose. */
import { closeSync, mkdirSync, openSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of the largest disk that may be filled. */
const largest = 64 * 1024 * 1024;
/** Bytes of one write: a page. */
const block = 4096;

/**
 * Writes to a folder until its disk is full.
 * @throws Error if its disk is not a small one
 */
export function fill(folder: string, of: 'bytes' | 'files'): void {
  const { blocks, bsize } = statfsSync(folder);
  if (blocks * bsize > largest) throw new Error(`${folder} is on a disk that is not to be filled`);
  const place = join(folder, 'filler');
  mkdirSync(place);
  if (of === 'files') untilFull((number) => writeFileSync(join(place, String(number)), ''));
  else {
    const file = openSync(join(place, 'bytes'), 'w');
    untilFull(() => writeSync(file, Buffer.alloc(block)));
    closeSync(file);
  }
}

function untilFull(write: (number: number) => unknown): void {
  try {
    for (let number = 0; ; number++) write(number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
