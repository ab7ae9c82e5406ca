/** `macvlab matrix`: runs the experiments on many kernels, and prints a table of the differences. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { macvlanModes } from '../../link/macvlan.js';
import { planForms } from '../../matrix/plan/job-plan.js';
import type { Shard } from '../../matrix/plan/shard.js';
import { exitsWith } from '../exits-with.js';
import { positiveNumber } from '../number-argument.js';
import type { MatrixOptions } from './matrix-action.js';
import { addTableOptions } from './table-options.js';

const examples = `
Examples:
  macvlab matrix --kernels 5.10,6.1,6.12,6.18,7.2,7.3-rc
  macvlab matrix --kernels all --history history     every series, compared with the previous result
  macvlab matrix --suite trixie-backports A1 A3.2
  macvlab matrix --kernels 6.12,patched=./linux X3   a kernel of your own next to its base
  macvlab matrix --kernels all --shard 2/4           one part, for macvlab merge
  macvlab matrix --kernels all --plan github         print the jobs for a CI system
  macvlab matrix --resume                            the remaining tests of an interrupted matrix

Exit codes: 0 nothing unexpected, 1 a test failed or a known difference no longer occurs; with --baseline 1 only for regressions;
2 wrong usage, 3 a kernel gave no result, 130 interrupted`;

/** Adds the command. */
export function addMatrix(program: Command): void {
  const command = program
    .command('matrix')
    .description('run experiments on many kernels, and show the differences and their first kernel')
    .argument(
      '[filters...]',
      'keys, ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .option('--kernels <list>', 'versions, releases, suites or paths, separated by commas; NAME=KERNEL; or all', list)
    .option('--suite <suite>', 'only kernels of this suite of Debian, such as trixie; without --kernels, all of them')
    .option('--modules <folder>', 'modules of kernels of your own')
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option('--jobs <number>', 'guests in parallel (default: by processors and memory)', positiveNumber)
    .option('--shard <index/count>', 'only this part, such as 1/4', shard)
    .option('--resume [folder]', 'run the remaining tests of a matrix (default: the last one)')
    .option('--out <folder>', 'parent of the matrix’s folder', 'reports')
    .addOption(new Option('--plan <form>', 'run nothing, and print the plan').choices(planForms))
    .option('--shards <number>', 'with --plan: number of parts, instead of one job per kernel', positiveNumber);
  addTableOptions(command)
    .addHelpText('after', examples)
    .action(
      exitsWith(async (filters: string[], options: MatrixOptions) => {
        const { runMatrixCommand } = await import('./matrix-action.js');
        return runMatrixCommand(filters, options);
      }),
    );
}

function list(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',')];
}

function shard(value: string): Shard {
  const [, index = 0, count = 0] = (/^(\d+)\/(\d+)$/.exec(value) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('Give a part and their number, such as 1/4.');
}
