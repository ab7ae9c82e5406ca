/** Writes files of reports and records completely or not, and creates their folders. */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MacvlabError, messageOf } from './error.js';

/**
 * Creates a folder and its parents. It does not use `recursive` of `mkdirSync`: in Node 20 that never returns where a
 * parent exists and the kernel still returns ENOENT, as below /proc.
 */
export function makeFolders(path: string): void {
  const isFolder = (): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder()) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Two runs that begin at once may both create `out`.
    if (!isFolder()) throw error;
  }
}

/** A value as the text of a JSON file. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Writes a file so that readers see all of it or, when this process dies, none. */
export function writeWhole(path: string, content: string): void {
  const unfinished = join(path, '..', `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/**
 * Makes `<out>/<name>` a symbolic link to a folder next to it. The link is optional: it is left out where links are
 * impossible, or a user's file has that name.
 */
export function pointAt(out: string, id: string, name: string): void {
  const latest = join(out, name);
  const unfinished = join(out, `.${name}.${process.pid}`);
  try {
    if (lstatSync(latest, { throwIfNoEntry: false })?.isSymbolicLink() === false) return;
    symlinkSync(id, unfinished);
    renameSync(unfinished, latest);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

const remedies: Record<string, string> = {
  EEXIST: 'a file of that name is in the way: move it, or choose another folder with --out',
  ENOTDIR: 'a file is in the way where a folder is needed: move it, or choose another folder with --out',
  ENOSPC: 'the disk is full: free some space, or choose a folder on another disk with --out',
  EDQUOT: 'your disk quota is used up: free some space, or choose a folder on another disk with --out',
  EROFS: 'that file system is read-only: choose a folder on another one with --out',
};

/** Checks that a folder can be created, before the work whose results go there. @throws MacvlabError OUT_NOT_WRITABLE */
export function refuseUnwritable(folder: string): void {
  writing(folder, () => {
    let nearest = folder;
    while (statSync(nearest, { throwIfNoEntry: false }) === undefined) nearest = dirname(nearest);
    // A file in the way is not a folder: the path below it cannot be checked.
    accessSync(join(nearest, '.'), constants.W_OK | constants.X_OK);
  });
}

/** Writes into a folder for reports. @throws MacvlabError OUT_NOT_WRITABLE with the next step */
export function writing<T>(folder: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new MacvlabError('OUT_NOT_WRITABLE', `reports cannot be written to ${folder}`, {
      evidence: messageOf(error),
      next: remedies[code] ?? 'choose a folder that you may write with --out',
      cause: error,
    });
  }
}
