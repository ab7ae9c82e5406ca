/** `macvlab kernels fetch`: fetches kernels into the cache. */
import type { Command } from 'commander';
import { untilInterrupted } from '../interruption.js';
import { whichKernel } from './kernel-words.js';
import { notice, print } from '../output.js';

const examples = `
Kernels in the cache are not fetched again, except for a newer one of the same series or suite. Signatures are verified. The
next call continues an interrupted download.

Examples:
  macvlab kernels fetch                              the default kernel
  macvlab kernels fetch 5.10 6.1 newest`;

/** Adds the command. */
export function addKernelsFetch(kernels: Command): void {
  kernels
    .command('fetch')
    .description('fetch kernels before a run')
    .argument('[versions...]', whichKernel)
    .addHelpText('after', examples)
    .action(async (versions: string[]) => {
      const { defaultKernel } = await import('../../kernel/debian/catalogue.js');
      const { debianKernels } = await import('../../kernel/debian/debian-kernel.js');
      const options = { refresh: true, signal: untilInterrupted(), onProgress: notice };
      for await (const kernel of debianKernels(versions.length > 0 ? versions : [defaultKernel], options)) {
        print(`${kernel.name} (${kernel.origin}): ${kernel.modules}`);
      }
    });
}
