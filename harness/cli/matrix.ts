/** `macvlab matrix`: the experiments on many kernels, and a table of what differs. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { MacvlabError } from '../core/error.js';
import { refuseUnwritable } from '../core/report-files.js';
import { type MacvlanMode, macvlanModes } from '../link/macvlan.js';
import { type PlanForm, planForms } from '../matrix/job-plan.js';
import type { MatrixRecord } from '../matrix/record.js';
import type { Shard } from '../matrix/shard.js';
import { untilInterrupted } from './interruption.js';
import { positiveNumber } from './number-argument.js';
import { remark, wantsColour } from './output.js';
import { addTableOptions, type TableOptions } from './table-options.js';

interface MatrixCommandOptions extends TableOptions {
  kernels?: string[];
  suite?: string;
  modules?: string;
  mode?: MacvlanMode;
  jobs?: number;
  out: string;
  shard?: Shard;
  resume?: string | true;
  plan?: PlanForm;
  shards?: number;
}

const examples = `
Examples:
  macvlab matrix --kernels 5.10,6.1,6.12,6.18,7.2,7.3-rc
  macvlab matrix --kernels all --history history     every series, compared with the last time
  macvlab matrix --suite trixie-backports A1 A3.2
  macvlab matrix --kernels 6.12,patched=./linux X3   a kernel of your own beside its base
  macvlab matrix --kernels all --shard 2/4           a part, for macvlab merge
  macvlab matrix --kernels all --plan github         nothing; its jobs, for a CI system
  macvlab matrix --resume                            what an interrupted one has not performed

Exit codes: 0 nothing unexpected, 1 a test failed or a known difference is gone; with --baseline 1 only for what got worse;
2 wrong usage, 3 something could not be told, 130 interrupted`;

/** Adds the command. */
export function addMatrix(program: Command): void {
  const command = program
    .command('matrix')
    .description('perform experiments on many kernels, and show what differs since when')
    .argument(
      '[filters...]',
      'ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .option('--kernels <list>', 'versions, releases, suites or paths with commas between, NAME=KERNEL, or all', list)
    .option('--suite <suite>', 'only kernels of this suite of Debian, such as trixie; without --kernels, all of them')
    .option('--modules <folder>', 'modules of kernels of your own')
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option(
      '--jobs <number>',
      'guests side by side (default: as many as there are processors and memory for)',
      positiveNumber,
    )
    .option('--shard <index/count>', 'only this part of it, such as 1/4', shard)
    .option('--resume [folder]', 'perform what a matrix has not performed yet (default: the one begun last)')
    .option('--out <folder>', 'where the matrix’s own folder is made', 'reports')
    .addOption(new Option('--plan <form>', 'perform nothing, and print what would be performed').choices(planForms))
    .option('--shards <number>', 'with --plan: so many parts of all kernels, not one job per kernel', positiveNumber);
  addTableOptions(command)
    .addHelpText('after', examples)
    .action(async (filters: string[], options: MatrixCommandOptions) => {
      if (options.plan !== undefined || options.shards !== undefined) return sayPlan(filters, options);
      const table = await import('./table-options.js');
      // Files that are wrong are told before hours of work, not behind them.
      const means = await table.readTableOptions(options);
      const signal = untilInterrupted('the matrix ends; what it has performed stays, and is shown');
      const folder =
        options.resume === undefined ? await begin(filters, options, signal) : await takeUp(filters, options, signal);
      const { performMatrix } = await import('../matrix/perform-matrix.js');
      const { guestsThatFit } = await import('../lab/vm/memory.js');
      const { workerMemory } = await import('../matrix/perform-kernel.js');
      const { MatrixProgress } = await import('../report/matrix-progress.js');
      const jobs = options.jobs ?? Math.min(availableParallelism(), guestsThatFit(workerMemory));
      const listener = new MatrixProgress(process.stderr, wantsColour(process.stderr));
      await performMatrix(folder, { jobs, signal, listener });
      process.exitCode = await table.conclude(folder, means);
    });
}

/** Plans a matrix and makes its folder. @throws MacvlabError before anything is made */
async function begin(filters: string[], options: MatrixCommandOptions, signal: AbortSignal): Promise<string> {
  const { out } = options;
  if (out === '') {
    throw new MacvlabError('USAGE', 'the folder for reports has an empty name', { next: 'name a folder with --out' });
  }
  const matrix = await planned(filters, options, signal);
  const { prepareMachine } = await import('../matrix/perform-matrix.js');
  const { createMatrixFolder } = await import('../matrix/folder.js');
  const own = matrix.kernels.filter(({ share }) => share?.length !== 0);
  refuseUnwritable(resolve(out));
  await prepareMachine(own, remark, signal);
  signal.throwIfAborted();
  return createMatrixFolder(resolve(out), matrix);
}

/** Prints what would be performed, and by which jobs. */
async function sayPlan(filters: string[], options: MatrixCommandOptions): Promise<void> {
  const { plan, shards, shard } = options;
  const wrong =
    (plan === undefined && '--shards is about --plan: --shard 1/4 performs a part') ||
    (options.resume !== undefined &&
      'a matrix that is resumed has been planned: --plan and --resume exclude each other') ||
    (shards !== undefined && shard !== undefined && '--shard, one part, and --shards, all of them, exclude each other');
  if (wrong) throw new MacvlabError('USAGE', wrong, { next: 'leave one of them out' });
  const [{ planJobs }, { sayJobPlan }] = await Promise.all([
    import('../matrix/job-plan.js'),
    import('./matrix-plan.js'),
  ]);
  const matrix = await planned(filters, options, untilInterrupted('nothing was planned'));
  sayJobPlan(planJobs(matrix, { shards, folder: process.cwd() }), plan ?? 'text');
}

/** What is to be performed. @throws MacvlabError USAGE, KERNEL_UNKNOWN */
async function planned(filters: string[], options: MatrixCommandOptions, signal: AbortSignal): Promise<MatrixRecord> {
  const { kernels = [], suite, modules, mode } = options;
  if (kernels.length === 0 && suite === undefined) {
    throw new MacvlabError('USAGE', 'no kernels were given', {
      next: 'say which: --kernels 5.10,6.1,6.12, --kernels all, or --suite trixie; `macvlab kernels list` shows them',
    });
  }
  const [{ loadCatalogue, select }, { chooseKernels }, { planMatrix }] = await Promise.all([
    import('../run/catalogue.js'),
    import('../matrix/choose-kernels.js'),
    import('../matrix/perform-matrix.js'),
  ]);
  const experiments = select(await loadCatalogue(), { filters, mode });
  const chosen = await chooseKernels(
    { kernels, suite, ...(modules !== undefined && { modules: resolve(modules) }), onRemark: remark },
    { signal, onProgress: remark, onMissing: (error) => remark(error.format()) },
  );
  signal.throwIfAborted();
  return planMatrix({
    ...{ kernels: chosen, experiments, filters, mode, shard: options.shard },
    arguments: process.argv.slice(2),
  });
}

/** The folder of a matrix that is to be gone on with. */
async function takeUp(
  filters: string[],
  { resume, kernels, suite, shard, mode, out }: MatrixCommandOptions,
  signal: AbortSignal,
): Promise<string> {
  const said = [filters[0], kernels && '--kernels', suite && '--suite', shard && '--shard', mode && '--mode'].filter(
    Boolean,
  );
  if (said.length > 0) {
    throw new MacvlabError('USAGE', `a matrix is resumed as it was begun: ${said.join(', ')} cannot be changed`, {
      next: 'leave that out, or begin another matrix without --resume',
    });
  }
  const { findLatestMatrix, readMatrix } = await import('../matrix/folder.js');
  const { prepareMachine } = await import('../matrix/perform-matrix.js');
  const { isOpen } = await import('../matrix/todo.js');
  const { refuseRebuilt } = await import('../matrix/choose-kernels.js');
  const {
    folder,
    matrix,
    kernels: known,
  } = await readMatrix(typeof resume === 'string' ? resume : findLatestMatrix(out));
  const open = known.filter((kernel) => isOpen(matrix, kernel)).map(({ kernel }) => kernel);
  remark(
    open.length === 0 ? 'all of it has been performed' : `still open on ${open.map(({ name }) => name).join(', ')}`,
  );
  await refuseRebuilt(open, { signal, onProgress: remark });
  if (open.length > 0) await prepareMachine(open, remark, signal);
  return folder;
}

function list(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',')];
}

function shard(value: string): Shard {
  const [, index = 0, count = 0] = (/^(\d+)\/(\d+)$/.exec(value) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('Give a part and their number, such as 1/4.');
}
