/** `macvlab kernels`: the kernels that guests can boot. */
import type { Command } from 'commander';
import { addKernelsFetch } from './kernels-fetch.js';
import { addKernelsList } from './kernels-list.js';
import { addKernelsShow } from './kernels-show.js';

const examples = `
The name of a kernel is its series (6.12), version (6.12.94), release (6.1.0-56-cloud-amd64), a Debian suite (trixie, sid), or
\`newest\`. Fetched kernels stay in the cache folder and are not updated.

Examples:
  macvlab kernels list                 the newest of each series
  macvlab kernels list 6.12            all of a series
  macvlab kernels fetch 5.10 newest
  macvlab kernels show 6.12`;

/** Adds the command and its subcommands. */
export function addKernels(program: Command): void {
  const kernels = program
    .command('kernels')
    .description('list and fetch kernels for guests')
    .helpCommand(false)
    .addHelpText('after', examples);
  for (const add of [addKernelsList, addKernelsFetch, addKernelsShow]) add(kernels);
}
