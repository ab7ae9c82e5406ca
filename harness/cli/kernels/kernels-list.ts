/** `macvlab kernels list`: lists Debian's cloud kernels. */
import type { Command } from 'commander';
import { untilInterrupted } from '../interruption.js';
import { megabytes } from './kernel-words.js';
import { colours, notice, print, printJson } from '../output.js';
import { columns } from '../../report/width.js';

const examples = `
Examples:
  macvlab kernels list 6.12                          all of a series
  macvlab kernels list trixie-backports              all of a suite
  macvlab kernels list --all --json | jq -r '.[] | select(.fetched) | .release'`;

/** Adds the command. */
export function addKernelsList(kernels: Command): void {
  kernels
    .command('list')
    .description('list the available kernels, the newest last')
    .argument('[filter]', 'only those of a series (6.12), version or suite; default: the newest of each series')
    .option('--all', 'all kernels')
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (filter: string | undefined, { all, json }: { all?: true; json?: true }) => {
      const { kernelsMeant, seriesOf, unknownKernel } = await import('../../kernel/debian/catalogue.js');
      const { knownKernels } = await import('../../kernel/debian/known-kernels.js');
      const kernels = await knownKernels({
        signal: untilInterrupted(),
        onProgress: notice,
        onMissing: (error) => notice(error.format(), 'only fetched kernels are listed'),
      });
      const newest = new Map(kernels.map((kernel) => [seriesOf(kernel), kernel]));
      const meant =
        filter === undefined
          ? kernels.filter((kernel) => all || kernel.fetched || newest.get(seriesOf(kernel)) === kernel)
          : kernels.filter((kernel) => kernel.suites.includes(filter) || kernelsMeant([kernel], filter).length > 0);
      if (filter !== undefined && meant.length === 0) throw unknownKernel(kernels, filter);
      if (json) {
        printJson(meant.map((kernel) => ({ series: seriesOf(kernel), ...kernel })));
        return;
      }
      const { bold } = colours();
      const rows = meant.map((kernel) => [
        seriesOf(kernel),
        kernel.upstream,
        kernel.release,
        kernel.suites.join(' '),
        megabytes(kernel.bytes),
        kernel.fetched ? 'fetched' : '',
      ]);
      const [head = '', ...lines] = columns([['series', 'version', 'release', 'suites', 'size', ''], ...rows]);
      print(bold(head), ...lines);
      const others = kernels.length - meant.length;
      if (filter === undefined && others > 0) notice(`${others} more: \`macvlab kernels list --all\``);
    });
}
