/** A folder with the baseline of each matrix, named by date and time. macvlab writes nothing else there, so that it fits a git branch. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolders, writeWhole, writing } from '../../core/report-files.js';
import { type Baseline, formatBaseline } from './baseline.js';

/** "20261121-081500.json", in UTC; a second matrix of the same second is "20261121-081500-2.json". */
const fileName = /^(\d{8}-\d{6})(?:-([1-9]\d*))?\.json$/;

/**
 * Adds a baseline to a history, and makes the folder if it is missing. A second copy of the same baseline changes
 * nothing.
 * @returns the file's absolute path
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export function keepInHistory(folder: string, baseline: Baseline): string {
  const path = resolve(folder);
  const text = formatBaseline(baseline);
  const stamp = stampOf(baseline.date);
  return writing(path, () => {
    makeFolders(path);
    for (let nth = 1; ; nth++) {
      const file = join(path, `${stamp}${nth > 1 ? `-${nth}` : ''}.json`);
      if (!existsSync(file)) writeWhole(file, text);
      else if (readFileSync(file, 'utf8') !== text) continue;
      return file;
    }
  });
}

/**
 * The file of the newest baseline; undefined if there is none. Files with other names do not count.
 * @param before only baselines of matrices that began before this second, ISO 8601
 * @throws Error of the file system if the folder is unreadable
 */
export function newestOf(folder: string, before?: string): string | undefined {
  const end = before === undefined ? undefined : stampOf(before);
  const names = readdirSync(folder).flatMap((name) => {
    const [, date, nth = '1'] = fileName.exec(name) ?? [];
    return date === undefined || (end !== undefined && date >= end) ? [] : [{ name, date, nth: Number(nth) }];
  });
  const newest = names.sort((a, b) => (a.date === b.date ? a.nth - b.nth : a.date < b.date ? -1 : 1)).at(-1);
  return newest && join(folder, newest.name);
}

/** "20261121-081500" */
function stampOf(date: string): string {
  const [day = '', time = ''] = new Date(date).toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return `${day}-${time}`;
}
