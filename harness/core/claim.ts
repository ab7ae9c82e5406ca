/**
 * Claims: lock files that record which process uses a resource, such as a name, a slot or a folder. A killed process leaves its file, and the
 * next process replaces this stale claim. Every process that takes or removes a claim holds the folder's lock, so that two processes
 * cannot both take the same stale claim.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withFolderLock } from '../setup/lock.mjs';

/** The result of an attempt to take a claim. */
export type Taking =
  /** This process has the claim. `left` is the text of the stale claim that it replaced. */
  | { taken: true; left?: string }
  /** Another process has it; `by` is the text of its claim. */
  | { taken: false; by: string };

/**
 * Takes a claim, unless a running process has it.
 * @param file in an existing folder
 * @param own the text of the new claim, which identifies this process; only this user can read the file
 * @param isHeld returns whether the process of an existing claim's text still runs; its errors are rethrown
 * @throws errors of the file system
 */
export function takeClaim(file: string, own: string, isHeld: (text: string) => boolean): Promise<Taking> {
  return withClaims(dirname(file), () => {
    const mine = join(dirname(file), `.${basename(file)}.${process.pid}`);
    try {
      // Written completely and then linked, so that no process reads an incomplete claim.
      writeFileSync(mine, own, { mode: 0o600 });
      if (linkUnlessThere(mine, file)) return { taken: true };
      const found = readFileSync(file, 'utf8');
      if (isHeld(found)) return { taken: false, by: found };
      rmSync(file);
      linkSync(mine, file);
      return { taken: true, left: found };
    } finally {
      rmSync(mine, { force: true });
    }
  });
}

/** Does synchronous work while no other process takes or removes a claim in a folder. */
export function withClaims<T>(folder: string, work: () => T): Promise<T> {
  return withFolderLock('claims', folder, work);
}

function linkUnlessThere(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
