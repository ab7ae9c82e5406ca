/**
 * Files that take long to create and can be created again: kernels, guest images. An entry is a folder that appears
 * complete or not: it is created under another name, and then renamed.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { MacvlabError, messageOf } from './error.js';

/** The cache folder: `MACVLAB_CACHE`, otherwise `macvlab` in the user's cache folder (XDG Base Directory Specification). */
export function cacheFolder(): string {
  const { MACVLAB_CACHE: own, XDG_CACHE_HOME: user } = process.env;
  if (own) return own;
  return join(user?.startsWith('/') ? user : join(homedir(), '.cache'), 'macvlab');
}

/** An entry's folder; undefined when it does not exist. @param name such as "kernels/6.12.94" */
export function findEntry(name: string): string | undefined {
  const folder = join(cacheFolder(), name);
  return existsSync(folder) ? folder : undefined;
}

/** Milliseconds after which an incomplete entry is considered abandoned by a killed process: a day. */
const abandonedAfter = 86_400_000;

/**
 * An entry's folder, which is created if necessary. Two processes may create the same entry at once: the later one
 * discards its own.
 * @param make fills the folder
 * @throws MacvlabError CACHE_NOT_WRITABLE when it cannot be written, for example on a full disk; errors of `make`
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
      // A file in place of a folder leaves nothing to remove (ENOTDIR), and the first error counts.
    }
    throw asCacheError(error, folder);
  }
  return folder;
}

function publish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // A rename onto a folder that is not empty fails: another process was faster (rename(2)).
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

/** Converts errors of the file system, and errors of programs on a full disk. @param folder in the cache */
export function asCacheError(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const words = error instanceof MacvlabError ? (error.evidence ?? '') : messageOf(error);
  const full = code === 'ENOSPC' || /No space left on device/.test(words);
  const denied = ['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EDQUOT'].includes(code ?? '');
  if (!full && !denied) return error;
  return new MacvlabError('CACHE_NOT_WRITABLE', `${folder} could not be made: ${full ? 'the disk is full' : code}`, {
    // tar prints it for each file
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
