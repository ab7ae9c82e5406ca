/** The folder of a bisection: `bisection.json`, and the runs below `kernels/`. */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asJson, makeFolders, pointAt, writeWhole, writing } from '../../core/report-files.js';
import type { BisectionRecord } from './bisection-record.js';

/** Next to the bisections' folders, a symbolic link to the one that began last. */
const latestBisection = 'latest-bisection';

/**
 * Makes `<out>/<record.id>/` with its `bisection.json`. On failure there is no folder.
 * @returns its absolute path
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export function createBisectionFolder(out: string, record: BisectionRecord): string {
  const folder = join(resolve(out), record.id);
  writing(out, () => {
    makeFolders(resolve(out));
    mkdirSync(folder);
  });
  try {
    writeBisection(folder, record);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  pointAt(resolve(out), record.id, latestBisection);
  return folder;
}

/** Writes `bisection.json` again. @throws MacvlabError OUT_NOT_WRITABLE */
export function writeBisection(folder: string, record: BisectionRecord): void {
  writing(folder, () => writeWhole(join(folder, 'bisection.json'), asJson(record)));
}
