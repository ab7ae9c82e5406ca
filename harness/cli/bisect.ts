/** `macvlab bisect`: between which two kernels an experiment begins to come out otherwise. */
import { availableParallelism, hostname } from 'node:os';
import type { Command } from 'commander';
import { exitCode, MacvlabError } from '../core/error.js';
import { version } from '../core/version.js';
import type { BisectionRecord } from '../matrix/bisection-record.js';
import type { Experiment } from '../run/catalogue.js';
import { untilInterrupted } from './interruption.js';
import { positiveNumber } from './number-argument.js';
import { remark, say, sayJson } from './output.js';

interface BisectOptions {
  good: string;
  bad: string;
  series?: true;
  jobs?: number;
  out: string;
  json?: true;
}

const examples = `
Good and bad are performed first. What they differ in, the verdict or else an observed value, is what is looked for.

Examples:
  macvlab bisect --good 6.18.5 --bad 7.2 X3.1        the first bad kernel
  macvlab bisect --good 6.12 --bad 6.1 A1.3          good is newer: where it was fixed
  macvlab bisect --good 5.10 --bad newest --series A1.3
  macvlab bisect --good 6.1 --bad 6.12 "A1.3 vepa: ns1 reaches the gateway"

For commits of a kernel tree: git bisect run macvlab run --kernel . --bisect A1.3

Exit codes: 0 found, 2 wrong usage, 3 good and bad do not differ or nothing could be told, 130 interrupted`;

/** Kernels tried at once, where nobody says: each costs a download, and a processor and a half. */
const atOnce = 3;

/** Adds the command. */
export function addBisect(program: Command): void {
  program
    .command('bisect')
    .description('find the kernel since which an experiment comes out otherwise')
    .argument('<experiment>', 'an id (A1.3), or parts of a title of one')
    .requiredOption('--good <kernel>', 'a version (6.1, 6.12.94), release or suite; older or newer than the bad one')
    .requiredOption('--bad <kernel>', 'the same')
    .option('--series', 'only the newest kernel of each series between them')
    .option('--jobs <number>', 'kernels tried at once (default: up to 3, by processors and memory)', positiveNumber)
    .option('--out <folder>', 'where the bisection’s own folder is made', 'reports')
    .option('--json', 'its record as JSON; progress goes to standard error')
    .addHelpText('after', examples)
    .action(async (filter: string, options: BisectOptions) => {
      if (options.out === '') {
        throw new MacvlabError('USAGE', 'the folder for reports has an empty name', {
          next: 'name a folder with --out',
        });
      }
      const tell = options.json ? remark : say;
      const signal = untilInterrupted('the bisection ends, and says what is known so far');
      const record = await plan(filter, options, signal);
      const [words, { createBisectionFolder }, { performBisection }, { guestsThatFit }] = await Promise.all([
        import('../report/bisection.js'),
        import('../matrix/bisection-folder.js'),
        import('../matrix/perform-bisection.js'),
        import('../lab/vm/memory.js'),
      ]);
      signal.throwIfAborted();
      const folder = createBisectionFolder(options.out, record);
      tell(words.bisectionOpening(record));
      await performBisection(folder, record, {
        jobs: options.jobs ?? Math.max(1, Math.min(atOnce, Math.floor(availableParallelism() / 2), guestsThatFit())),
        signal,
        listener: {
          remark,
          trying: (kernels, step, of) => tell(words.stepLine(kernels, step, of)),
          tried: (kernel, told) => tell(words.triedLine(kernel, told)),
          differs: ({ criteria }) => tell('they differ in', ...words.criteriaLines(criteria)),
        },
      });
      tell('', ...words.bisectionSummary(folder, record));
      if (options.json) sayJson({ folder, ...record });
      process.exitCode = record.interrupted ? exitCode.interrupted : record.failure ? exitCode.lab : exitCode.ok;
    });
}

/** All that is to be known before anything is created. @throws MacvlabError of wrong usage, or for a machine without guests */
async function plan(filter: string, options: BisectOptions, signal: AbortSignal): Promise<BisectionRecord> {
  const [{ loadCatalogue, select }, { knownKernels }, { kernelsBetween }, { prepareMachine }, { newRunId }] =
    await Promise.all([
      import('../run/catalogue.js'),
      import('../kernel/known-kernels.js'),
      import('../matrix/kernels-between.js'),
      import('../matrix/perform-matrix.js'),
      import('../run/run-folder.js'),
    ]);
  const experiments = select(await loadCatalogue(), { filters: [filter] });
  refuseSeveral(filter, experiments);
  const known = await knownKernels({ signal, onProgress: remark, onMissing: (error) => remark(error.format()) });
  const { good, bad, series: seriesOnly = false } = options;
  const row = kernelsBetween(known, { good, bad, seriesOnly });
  const ends = [row.kernels[0], row.kernels.at(-1)].filter((kernel) => kernel !== undefined);
  await prepareMachine(ends, remark, signal);
  return {
    ...{ schema: 1, id: newRunId(), macvlab: version(), arguments: process.argv.slice(2), machine: hostname() },
    ...{ startedAt: new Date().toISOString(), interrupted: false, filter, seriesOnly, ...row, criteria: [] },
    experiments: experiments.map(({ id, title, suite, file }) => ({ id, title, suite, file })),
  };
}

/** Several experiments of one id are one row of an article's table; others may each have changed with another kernel. */
function refuseSeveral(filter: string, experiments: readonly Experiment[]): void {
  const ids = [...new Set(experiments.map(({ id }) => id))];
  if (ids.length <= 1) return;
  throw new MacvlabError('USAGE', `"${filter}" means ${ids.length} experiments, and one can be looked for at a time`, {
    evidence: `they are: ${ids.join(' ')}`,
    next: `name one of them: ${ids[0] ?? ''}, or a part of its title that no other has`,
  });
}
