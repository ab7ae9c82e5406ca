/**
 * What is expensive to make and can be made again: kernels, guest images. An entry is a folder that appears whole or not at
 * all: it is made under another name, and renamed when it is complete.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { MacvlabError, messageOf } from './error.js';

/** Where the cache is: `MACVLAB_CACHE`, else `macvlab` in the user's cache folder (XDG Base Directory Specification). */
export function cacheFolder(): string {
  const { MACVLAB_CACHE: own, XDG_CACHE_HOME: user } = process.env;
  if (own) return own;
  return join(user?.startsWith('/') ? user : join(homedir(), '.cache'), 'macvlab');
}

/** An entry's folder; undefined when it has not been made. @param name such as "kernels/6.12.94" */
export function findEntry(name: string): string | undefined {
  const folder = join(cacheFolder(), name);
  return existsSync(folder) ? folder : undefined;
}

/** Milliseconds after which a half-made entry is taken for one whose maker was killed: a day. */
const abandonedAfter = 86_400_000;

/**
 * An entry's folder, which is made first if need be. Two processes may make the same entry at once: the one that is later
 * throws its own away.
 * @param make fills the folder that it is given
 * @throws MacvlabError CACHE_NOT_WRITABLE when it cannot be written, be it for a full disk; what `make` throws
 */
export async function cacheEntry(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}-${Date.now().toString(36)}.part`;
  try {
    mkdirSync(unfinished, { recursive: true });
    dropAbandoned(dirname(folder));
    await make(unfinished);
    publish(unfinished, folder);
  } catch (error) {
    try {
      rmSync(unfinished, { recursive: true, force: true });
    } catch {
      // Where a file stands in place of a folder there is nothing to remove (ENOTDIR), and what came first is what counts.
    }
    throw asCacheError(error, folder);
  }
  return folder;
}

function publish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // A folder that is not empty cannot be renamed onto: somebody else was quicker (rename(2)).
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function dropAbandoned(parent: string): void {
  for (const name of readdirSync(parent).filter((entry) => entry.endsWith('.part'))) {
    const age = Date.now() - (statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > abandonedAfter) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Errors of the file system, and of programs that met a full disk, told as what they are. @param folder in the cache */
export function asCacheError(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const words = error instanceof MacvlabError ? (error.evidence ?? '') : messageOf(error);
  const full = code === 'ENOSPC' || /No space left on device/.test(words);
  const denied = ['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EDQUOT'].includes(code ?? '');
  if (!full && !denied) return error;
  return new MacvlabError('CACHE_NOT_WRITABLE', `${folder} could not be made: ${full ? 'the disk is full' : code}`, {
    // tar says it of each file
    evidence: full
      ? words
          .match(/^.*No space left on device.*$/gm)
          ?.slice(0, 3)
          .join('\n')
      : words,
    next: full
      ? 'make room there, or name another folder in the environment’s MACVLAB_CACHE'
      : 'name a folder that you may write in the environment’s MACVLAB_CACHE',
    cause: error,
  });
}
