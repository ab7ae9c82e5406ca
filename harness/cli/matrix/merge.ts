/** `macvlab merge`: joins the parts of a matrix. */
import type { Command } from 'commander';
import { exitsWith } from '../exits-with.js';
import type { MergeOptions } from './merge-action.js';
import { addTableOptions } from './table-options.js';

const examples = `
Examples:
  macvlab merge part-1/* part-2/* --out reports       shards, or matrices of different kernels
  macvlab merge parts/*/ --history history            compared with the previous result`;

/** Adds the command. */
export function addMerge(program: Command): void {
  const command = program
    .command('merge')
    .description('merge the parts of a matrix, and show its table')
    .argument('<folders...>', 'folders of matrices: shards, or matrices of different kernels')
    .option('--out <folder>', 'parent of the merged matrix’s folder', 'reports');
  addTableOptions(command)
    .addHelpText('after', examples)
    .action(
      exitsWith(async (folders: string[], options: MergeOptions) => {
        const { merge } = await import('./merge-action.js');
        return merge(folders, options);
      }),
    );
}
