/** The action of `macvlab merge`. */
import { resolve } from 'node:path';
import { mergeMatrices } from '../../matrix/merge.js';
import { notice } from '../output.js';
import { conclude, readTableOptions } from './conclude.js';
import type { TableOptions } from './table-options.js';

export interface MergeOptions extends TableOptions {
  out: string;
}

/** @returns the exit code */
export async function merge(folders: string[], { out, ...options }: MergeOptions): Promise<number> {
  const means = readTableOptions(options);
  const { folder, missing } = await mergeMatrices(folders, resolve(out), process.argv.slice(2));
  if (missing.length > 0) notice(`parts are missing: ${missing.join(', ')}`);
  return conclude(folder, means);
}
