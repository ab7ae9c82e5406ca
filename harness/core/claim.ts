/**
 * Claims: a file says which process has something, such as a name, a slot or a folder. A process that was killed leaves its file behind,
 * and the next one takes it over. Whoever looks at a claim to take it, or to remove it, holds the folder's lock: two that both find a
 * stale claim must not both take it.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withFolderLock } from '../setup/lock.mjs';

/** What has become of an attempt to take a claim. */
export type Taking =
  /** It is ours. `left` is the text of the stale claim that was there. */
  | { taken: true; left?: string }
  /** Another process has it, by this text. */
  | { taken: false; by: string };

/**
 * Takes a claim, unless a process has it that still runs.
 * @param file in a folder that is there
 * @param own what the file says from now on; only this user can read it
 * @param isHeld whether the text of a claim is that of a holder that still runs; what it throws is passed on
 * @throws what the file system says
 */
export function takeClaim(file: string, own: string, isHeld: (text: string) => boolean): Promise<Taking> {
  return withClaims(dirname(file), () => {
    const mine = join(dirname(file), `.${basename(file)}.${process.pid}`);
    try {
      // Written whole, and then linked: nobody ever sees half a claim.
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

/** Does work, which cannot wait, while no other process takes or removes a claim in a folder. */
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
