/** `macvlab kernels fetch`: puts kernels into the cache. */
import type { Command } from 'commander';
import { untilInterrupted } from './interruption.js';
import { whichKernel } from './kernel-words.js';
import { remark, say } from './output.js';

const examples = `
What is in the cache already is not fetched again; a newer one of the same series or suite is. Signatures are verified. An
interrupted download is continued by the next call.

Examples:
  macvlab kernels fetch                              the default kernel
  macvlab kernels fetch 5.10 6.1 newest`;

/** Adds the command. */
export function addKernelsFetch(kernels: Command): void {
  kernels
    .command('fetch')
    .description('fetch kernels, so that a run need not')
    .argument('[versions...]', whichKernel)
    .addHelpText('after', examples)
    .action(async (versions: string[]) => {
      const { defaultKernel } = await import('../kernel/catalogue.js');
      const { debianKernels } = await import('../kernel/debian-kernel.js');
      const options = { refresh: true, signal: untilInterrupted(), onProgress: remark };
      for await (const kernel of debianKernels(versions.length > 0 ? versions : [defaultKernel], options)) {
        say(`${kernel.name} (${kernel.origin}): ${kernel.modules}`);
      }
    });
}
