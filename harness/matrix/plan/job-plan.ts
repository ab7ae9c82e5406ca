/**
 * A matrix as jobs. Each machine runs one job; `macvlab merge` joins the results. Jobs name kernels by exact version,
 * so that all machines use the same ones.
 */
import { isAbsolute, relative } from 'node:path';
import type { MacvlanMode } from '../../link/macvlan.js';
import { quoteCommand } from '../../remote/quote.js';
import type { ExperimentKey, MatrixKernel, MatrixRecord } from '../record.js';
import { type Shard, shareOut } from './shard.js';
import { plannedOn } from './todo.js';

/** The output formats of a plan. */
export const planForms = ['text', 'json', 'github', 'gitlab'] as const;
export type PlanForm = (typeof planForms)[number];

/** A kernel in the form that a job gets. */
export interface PlannedKernel extends Pick<MatrixKernel, 'name' | 'version' | 'release' | 'origin'> {
  /** The value of --kernels: "6.12=6.12.117-1", with Debian's version; or "patched=./linux". */
  argument: string;
}

/** The work of one machine. */
export interface Job {
  /** Its name: "6.12"; "2/4" for a part of all kernels. */
  name: string;
  /** The same for file names, different for each job: "6.12", "2-of-4". */
  slot: string;
  /** For --kernels: "6.12=6.12.117-1", with commas between several. */
  kernels: string;
  /** For --shard: "1/1". */
  shard: string;
  /** Number of experiments that it runs, counted once for each kernel. */
  experiments: number;
  /** All words after `macvlab`. */
  arguments: string[];
}

/** The work of a matrix. */
export interface JobPlan {
  schema: 1;
  /** The version that made the plan: other versions may have other experiments. */
  macvlab: string;
  filters: string[];
  mode?: MacvlanMode;
  /** Folder with the modules of the user's own kernels. */
  modules?: string;
  /** From the oldest to the newest. */
  kernels: PlannedKernel[];
  experiments: ExperimentKey[];
  jobs: Job[];
}

/**
 * Plans one job per kernel; or `shards` parts of all kernels; or only the matrix's own shard.
 * @param folder paths in it become relative to it, since a job's machine may have its checkout elsewhere
 * @throws MacvlabError USAGE if so many parts are impossible
 */
export function planJobs(
  matrix: MatrixRecord,
  { shards, folder }: { shards?: number | undefined; folder: string },
): JobPlan {
  const { macvlab, filters, mode, shard, experiments } = matrix;
  const ownModules = matrix.kernels.find((kernel) => kernel.modules !== undefined)?.modules;
  const modules = ownModules === undefined ? undefined : within(folder, ownModules);
  const plan = { filters, ...(mode !== undefined && { mode }), ...(modules !== undefined && { modules }) };
  const whole = matrix.kernels.map(({ share: _, ...kernel }) => kernel);
  const jobOf = (name: string, slot: string, kernels: readonly MatrixKernel[], part: Shard): Job => {
    const choice = {
      kernels: kernels.map((kernel) => kernelArgument(kernel, folder)).join(','),
      shard: `${part.index}/${part.count}`,
    };
    const shared = shareOut(kernels, experiments, part);
    return {
      ...{ name, slot, ...choice },
      experiments: shared.reduce((sum, kernel) => sum + plannedOn(matrix, kernel).length, 0),
      arguments: ['matrix', '--kernels', choice.kernels, '--shard', choice.shard, ...wordsOfAll(plan)],
    };
  };
  const partOfAll = (part: Shard) =>
    jobOf(`${part.index}/${part.count}`, `${part.index}-of-${part.count}`, whole, part);
  const jobs = shard
    ? [partOfAll(shard)]
    : shards !== undefined
      ? Array.from({ length: shards }, (_, position) => partOfAll({ index: position + 1, count: shards }))
      : whole.map((kernel) => jobOf(kernel.name, kernel.slot, [kernel], { index: 1, count: 1 }));
  const kernels = whole.map((kernel) => {
    const { name, version, release, origin } = kernel;
    return {
      name,
      version,
      release,
      ...(origin !== undefined && { origin }),
      argument: kernelArgument(kernel, folder),
    };
  });
  return { schema: 1, macvlab, ...plan, kernels, experiments, jobs };
}

function kernelArgument({ name, spec }: MatrixKernel, folder: string): string {
  // Only a path without a given name contains a slash (choose-kernels.ts).
  if (name.includes('/') || name === spec) return name;
  return `${name}=${isAbsolute(spec) ? within(folder, spec) : spec}`;
}

/** "./linux" for a path inside the folder; other paths stay whole. */
function within(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.split('/')[0] === '..' ? path : `./${inside}`;
}

/** The last words of each job's command line. */
export function wordsOfAll({ filters, mode, modules }: Pick<JobPlan, 'filters' | 'mode' | 'modules'>): string[] {
  return [
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...(modules === undefined ? [] : ['--modules', modules]),
    // A filter may begin with a dash.
    ...(filters.length === 0 ? [] : ['--', ...filters]),
  ];
}

/** A job's command line, quoted for a shell. */
export function jobCommand(job: Job): string {
  return quoteCommand(['macvlab', ...job.arguments]);
}
