/** Files of reports and records: written whole or not at all, into folders that are made for them. */
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
 * Makes a folder and those above it. Not `mkdirSync`'s own `recursive`: in Node 20 that never returns where a parent
 * exists and the kernel still says ENOENT, as it does below /proc.
 */
export function makeFolders(path: string): void {
  const isFolder = (): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder()) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Two runs that begin at once may both make `out`.
    if (!isFolder()) throw error;
  }
}

/** A value as the text of a JSON file. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Writes a file so that whoever reads it sees all of it or, when this process dies, none. */
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
 * Makes `<out>/<name>` a symbolic link to a folder beside it. It is a convenience: where there can be none, or a file of someone's
 * has that name, there is none.
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

/** Looks whether a folder can be made, before work is begun whose results go there. @throws MacvlabError OUT_NOT_WRITABLE */
export function refuseUnwritable(folder: string): void {
  writing(folder, () => {
    let nearest = folder;
    while (statSync(nearest, { throwIfNoEntry: false }) === undefined) nearest = dirname(nearest);
    // A file in the way is no folder: the path behind it cannot be looked at.
    accessSync(join(nearest, '.'), constants.W_OK | constants.X_OK);
  });
}

/** Does what writes into a folder for reports. @throws MacvlabError OUT_NOT_WRITABLE saying what to do about it */
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
