/** `macvlab kernels list`: Debian's cloud kernels. */
import type { Command } from 'commander';
import { untilInterrupted } from './interruption.js';
import { megabytes } from './kernel-words.js';
import { colours, columns, remark, say, sayJson } from './output.js';

const examples = `
Examples:
  macvlab kernels list 6.12                          all of a series
  macvlab kernels list trixie-backports              all of a suite
  macvlab kernels list --all --json | jq -r '.[] | select(.fetched) | .release'`;

/** Adds the command. */
export function addKernelsList(kernels: Command): void {
  kernels
    .command('list')
    .description('show the kernels that there are, the newest last')
    .argument('[filter]', 'only those of a series (6.12), version or suite; default: the newest of each series')
    .option('--all', 'all of them')
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (filter: string | undefined, { all, json }: { all?: true; json?: true }) => {
      const { kernelsMeant, seriesOf, unknownKernel } = await import('../kernel/catalogue.js');
      const { knownKernels } = await import('../kernel/known-kernels.js');
      const kernels = await knownKernels({
        signal: untilInterrupted(),
        onProgress: remark,
        onMissing: (error) => remark(error.format(), 'only the kernels that were fetched before are shown'),
      });
      const newest = new Map(kernels.map((kernel) => [seriesOf(kernel), kernel]));
      const meant =
        filter === undefined
          ? kernels.filter((kernel) => all || kernel.fetched || newest.get(seriesOf(kernel)) === kernel)
          : kernels.filter((kernel) => kernel.suites.includes(filter) || kernelsMeant([kernel], filter).length > 0);
      if (filter !== undefined && meant.length === 0) throw unknownKernel(kernels, filter);
      if (json) {
        sayJson(meant.map((kernel) => ({ series: seriesOf(kernel), ...kernel })));
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
      say(bold(head), ...lines);
      const others = kernels.length - meant.length;
      if (filter === undefined && others > 0) remark(`${others} more: \`macvlab kernels list --all\``);
    });
}
