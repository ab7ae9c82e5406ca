/** The action of `macvlab matrix`. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { exitCode, MacvlabError } from '../../core/error.js';
import { refuseUnwritable } from '../../core/report-files.js';
import type { MacvlanMode } from '../../link/macvlan.js';
import { guestsThatFit } from '../../machine/qemu/memory.js';
import { createMatrixFolder, findLatestMatrix, readMatrix } from '../../matrix/folder.js';
import { chooseKernels, refuseRebuilt } from '../../matrix/plan/choose-kernels.js';
import { planJobs, type PlanForm } from '../../matrix/plan/job-plan.js';
import type { Shard } from '../../matrix/plan/shard.js';
import { isOpen } from '../../matrix/plan/todo.js';
import type { MatrixRecord } from '../../matrix/record.js';
import { workerMemory } from '../../matrix/run/run-kernel.js';
import { runMatrix, planMatrix, prepareMachine } from '../../matrix/run/run-matrix.js';
import { MatrixProgress } from '../../report/matrix/progress.js';
import { loadCatalogue, select } from '../../run/suite/catalogue.js';
import { untilInterrupted } from '../interruption.js';
import { notice, wantsColour } from '../output.js';
import { conclude, readTableOptions } from './conclude.js';
import { sayJobPlan } from './matrix-plan.js';
import type { TableOptions } from './table-options.js';

export interface MatrixOptions extends TableOptions {
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

/** @returns the exit code */
export async function runMatrixCommand(filters: string[], options: MatrixOptions): Promise<number> {
  if (options.plan !== undefined || options.shards !== undefined) return sayPlan(filters, options);
  // Wrong files are reported before hours of work, not after them.
  const means = readTableOptions(options);
  const signal = untilInterrupted('the matrix ends; what it has performed stays, and is shown');
  const folder =
    options.resume === undefined ? await begin(filters, options, signal) : await takeUp(filters, options, signal);
  const jobs = options.jobs ?? Math.min(availableParallelism(), guestsThatFit(workerMemory));
  const listener = new MatrixProgress(process.stderr, wantsColour(process.stderr));
  await runMatrix(folder, { jobs, signal, listener });
  return conclude(folder, means);
}

/** Plans a matrix and creates its folder. @throws MacvlabError before anything is created */
async function begin(filters: string[], options: MatrixOptions, signal: AbortSignal): Promise<string> {
  const { out } = options;
  if (out === '') {
    throw new MacvlabError('USAGE', 'the folder for reports has an empty name', { next: 'name a folder with --out' });
  }
  const matrix = await planned(filters, options, signal);
  const own = matrix.kernels.filter(({ share }) => share?.length !== 0);
  refuseUnwritable(resolve(out));
  await prepareMachine(own, notice, signal);
  signal.throwIfAborted();
  return createMatrixFolder(resolve(out), matrix);
}

/** Prints the plan of a matrix, and its jobs. */
async function sayPlan(filters: string[], options: MatrixOptions): Promise<number> {
  const { plan, shards, shard } = options;
  const wrong =
    (plan === undefined && '--shards needs --plan; --shard 1/4 runs one part') ||
    (options.resume !== undefined &&
      'a matrix that is resumed has been planned: --plan and --resume exclude each other') ||
    (shards !== undefined && shard !== undefined && '--shard, one part, and --shards, all of them, exclude each other');
  if (wrong) throw new MacvlabError('USAGE', wrong, { next: 'leave one of them out' });
  const matrix = await planned(filters, options, untilInterrupted('nothing was planned'));
  sayJobPlan(planJobs(matrix, { shards, folder: process.cwd() }), plan ?? 'text');
  return exitCode.ok;
}

/** Plans a matrix. @throws MacvlabError USAGE, KERNEL_UNKNOWN */
async function planned(filters: string[], options: MatrixOptions, signal: AbortSignal): Promise<MatrixRecord> {
  const { kernels = [], suite, modules, mode } = options;
  if (kernels.length === 0 && suite === undefined) {
    throw new MacvlabError('USAGE', 'no kernels were given', {
      next: 'say which: --kernels 5.10,6.1,6.12, --kernels all, or --suite trixie; `macvlab kernels list` shows them',
    });
  }
  const experiments = select(await loadCatalogue(), { filters, mode });
  const chosen = await chooseKernels(
    { kernels, suite, ...(modules !== undefined && { modules: resolve(modules) }), onRemark: notice },
    { signal, onProgress: notice, onMissing: (error) => notice(error.format()) },
  );
  signal.throwIfAborted();
  return planMatrix({
    ...{ kernels: chosen, experiments, filters, mode, shard: options.shard },
    arguments: process.argv.slice(2),
  });
}

/** The folder of a matrix to resume. */
async function takeUp(
  filters: string[],
  { resume, kernels, suite, shard, mode, out }: MatrixOptions,
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
  const {
    folder,
    matrix,
    kernels: known,
  } = await readMatrix(typeof resume === 'string' ? resume : findLatestMatrix(out));
  const open = known.filter((kernel) => isOpen(matrix, kernel)).map(({ kernel }) => kernel);
  notice(
    open.length === 0 ? 'all of it has been performed' : `still open on ${open.map(({ name }) => name).join(', ')}`,
  );
  await refuseRebuilt(open, { signal, onProgress: notice });
  if (open.length > 0) await prepareMachine(open, notice, signal);
  return folder;
}
