/** `macvlab kernels show`: shows one kernel. */
import type { Command } from 'commander';
import { untilInterrupted } from '../interruption.js';
import { megabytes, whichKernel } from './kernel-words.js';
import { notice, print, printJson } from '../output.js';
import { columns } from '../../report/width.js';

const examples = `
Examples:
  macvlab kernels show 6.12
  macvlab kernels show newest --json | jq -r .image`;

/** Adds the command. */
export function addKernelsShow(kernels: Command): void {
  kernels
    .command('show')
    .description('show a kernel’s source, its files, and missing config options')
    .argument('<version>', whichKernel)
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (version: string, { json }: { json?: true }) => {
      const about = (await describeFetched(version)) ?? (await describeOffered(version));
      if (json) printJson(about);
      else
        print(...columns(Object.entries(about).map(([name, value]) => [name, [value].flat().join(', ') || 'nothing'])));
      if (!about.fetched) notice(`not fetched: \`macvlab kernels fetch ${about.release}\``);
    });
}

async function describeFetched(spec: string) {
  const { findKernel } = await import('../../kernel/debian/catalogue.js');
  const { cachedKernels, findCachedKernel } = await import('../../kernel/debian/debian-kernel.js');
  const { missingOptions } = await import('../../kernel/config-check.js');
  const kernel = findCachedKernel(spec);
  if (!kernel) return undefined;
  const { release, origin, image, modules, config = '' } = kernel;
  const missing = missingOptions(config, { shape: 'three guests' }).map(({ option }) => `CONFIG_${option}`);
  const size = megabytes(findKernel(cachedKernels(), spec)?.bytes ?? 0);
  return { release, origin, fetched: true, size, image, modules, config: `${modules}/config`, missing };
}

async function describeOffered(spec: string) {
  const { findKernel, loadCatalogue, unknownKernel } = await import('../../kernel/debian/catalogue.js');
  const kernels = await loadCatalogue({ signal: untilInterrupted(), onProgress: notice });
  const kernel = findKernel(kernels, spec);
  if (!kernel) throw unknownKernel(kernels, spec);
  const { release, suites, version, bytes, packages } = kernel;
  return {
    release,
    origin: `Debian ${suites.join(', ')}, ${version}`,
    fetched: false,
    size: megabytes(bytes),
    packages,
  };
}
