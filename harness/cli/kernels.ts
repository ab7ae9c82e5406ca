/** `macvlab kernels`: the kernels that guests can boot. */
import type { Command } from 'commander';
import { addKernelsFetch } from './kernels-fetch.js';
import { addKernelsList } from './kernels-list.js';
import { addKernelsShow } from './kernels-show.js';

const examples = `
A kernel is named by its series (6.12), version (6.12.94), release (6.1.0-56-cloud-amd64), by the suite whose current one it
is (trixie, sid), or as \`newest\`. Fetched kernels are kept in the cache folder, and used without looking for newer ones.

Examples:
  macvlab kernels list                 the newest of each series
  macvlab kernels list 6.12            all of one
  macvlab kernels fetch 5.10 newest
  macvlab kernels show 6.12`;

/** Adds the command and its subcommands. */
export function addKernels(program: Command): void {
  const kernels = program
    .command('kernels')
    .description('find and fetch the kernels that guests can boot')
    .helpCommand(false)
    .addHelpText('after', examples);
  for (const add of [addKernelsList, addKernelsFetch, addKernelsShow]) add(kernels);
}
