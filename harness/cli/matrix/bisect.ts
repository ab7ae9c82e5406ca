/** `macvlab bisect`: finds the two kernels between which the result of an experiment changes. */
import type { Command } from 'commander';
import { exitsWith } from '../exits-with.js';
import { positiveNumber } from '../number-argument.js';
import type { BisectOptions } from './bisect-action.js';

const examples = `
Good and bad run first. Their difference is the criterion: the verdict, or else an observed value.

Examples:
  macvlab bisect --good 6.18.5 --bad 7.2 X3.1        the first bad kernel
  macvlab bisect --good 6.12 --bad 6.1 A1.3          good is newer: find the fix
  macvlab bisect --good 5.10 --bad newest --series A1.3
  macvlab bisect --good 6.1 --bad 6.12 a1-vepa-to-gateway

For commits of a kernel tree: git bisect run macvlab run --kernel . --bisect A1.3

Exit codes: 0 found, 2 wrong usage, 3 good and bad do not differ or gave no result, 130 interrupted`;

/** Adds the command. */
export function addBisect(program: Command): void {
  program
    .command('bisect')
    .description('find the first kernel with another result of an experiment')
    .argument('<experiment>', 'an id (A1.3), or a part of a title')
    .requiredOption('--good <kernel>', 'a version (6.1, 6.12.94), release or suite; older or newer than the bad one')
    .requiredOption('--bad <kernel>', 'the same')
    .option('--series', 'only the newest kernel of each series between them')
    .option('--jobs <number>', 'kernels tried at once (default: up to 3, by processors and memory)', positiveNumber)
    .option('--out <folder>', 'parent of the bisection’s folder', 'reports')
    .option('--json', 'print the record as JSON; progress goes to standard error')
    .addHelpText('after', examples)
    .action(
      exitsWith(async (filter: string, options: BisectOptions) => {
        const { bisect } = await import('./bisect-action.js');
        return bisect(filter, options);
      }),
    );
}
