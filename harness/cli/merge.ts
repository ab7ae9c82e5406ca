/** `macvlab merge`: the parts of a matrix as one. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remark } from './output.js';
import { addTableOptions, type TableOptions } from './table-options.js';

const examples = `
Examples:
  macvlab merge part-1/* part-2/* --out reports       shards, or matrices of different kernels
  macvlab merge parts/*/ --history history            compared with the last time`;

/** Adds the command. */
export function addMerge(program: Command): void {
  const command = program
    .command('merge')
    .description('put the parts of a matrix together, and show its table')
    .argument('<folders...>', 'folders of matrices: shards, or such of different kernels')
    .option('--out <folder>', 'where the whole matrix’s folder is made', 'reports');
  addTableOptions(command)
    .addHelpText('after', examples)
    .action(async (folders: string[], { out, ...options }: TableOptions & { out: string }) => {
      const table = await import('./table-options.js');
      const { mergeMatrices } = await import('../matrix/merge.js');
      const means = await table.readTableOptions(options);
      const { folder, missing } = await mergeMatrices(folders, resolve(out), process.argv.slice(2));
      if (missing.length > 0) remark(`parts are missing: ${missing.join(', ')}`);
      process.exitCode = await table.conclude(folder, means);
    });
}
