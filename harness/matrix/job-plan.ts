/**
 * A matrix as jobs, for machines that each perform one and for `macvlab merge` afterwards: as data, and in the forms that CI
 * systems take. Kernels are named by their exact versions, so that all machines take the same.
 */
import { isAbsolute, relative } from 'node:path';
import { MacvlabError } from '../core/error.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { quoteArgument, quoteCommand } from '../remote/quote.js';
import type { ExperimentKey, MatrixKernel, MatrixRecord } from './record.js';
import { type Shard, shareOut } from './shard.js';
import { plannedOn } from './todo.js';

/** What a plan can be printed as. */
export const planForms = ['text', 'json', 'github', 'gitlab'] as const;
export type PlanForm = (typeof planForms)[number];

/** A kernel as a job is told of it. */
export interface PlannedKernel extends Pick<MatrixKernel, 'name' | 'version' | 'release' | 'origin'> {
  /** What --kernels takes: "6.12=6.12.117-1", Debian's version; or "patched=./linux". */
  argument: string;
}

/** What one machine performs. */
export interface Job {
  /** What it is called: "6.12"; "2/4" where it is a part of all kernels. */
  name: string;
  /** The same as a part of a file's name, different for each job: "6.12", "2-of-4". */
  slot: string;
  /** For --kernels: "6.12=6.12.117-1", with commas between several. */
  kernels: string;
  /** For --shard: "1/1". */
  shard: string;
  /** How many experiments it performs, counted once for each kernel. */
  experiments: number;
  /** All words after `macvlab`. */
  arguments: string[];
}

/** What a matrix would perform. */
export interface JobPlan {
  schema: 1;
  /** The version that planned it: other versions may have other experiments. */
  macvlab: string;
  filters: string[];
  mode?: MacvlanMode;
  /** The folder with modules of one's own kernels. */
  modules?: string;
  /** From the oldest to the newest. */
  kernels: PlannedKernel[];
  experiments: ExperimentKey[];
  jobs: Job[];
}

/**
 * Plans one job per kernel; or `shards` parts of all kernels; or the one part that the matrix itself is.
 * @param folder paths in it are told relative to it, since a job's machine may have its checkout elsewhere
 * @throws MacvlabError USAGE for more parts than can be made
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
  // Only a path that was given no name has a slash in it (choose-kernels.ts).
  if (name.includes('/') || name === spec) return name;
  return `${name}=${isAbsolute(spec) ? within(folder, spec) : spec}`;
}

/** "./linux" for what is in a folder, the whole path for all else. */
function within(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.split('/')[0] === '..' ? path : `./${inside}`;
}

/** What all jobs' command lines end with. */
function wordsOfAll({ filters, mode, modules }: Pick<JobPlan, 'filters' | 'mode' | 'modules'>): string[] {
  return [
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...(modules === undefined ? [] : ['--modules', modules]),
    // A filter may begin with a dash.
    ...(filters.length === 0 ? [] : ['--', ...filters]),
  ];
}

/** Jobs that one matrix of GitHub Actions may have (GitHub's documentation: "Actions limits", job matrix). */
const githubJobs = 256;

/** What `strategy.matrix` of a GitHub workflow takes, by way of fromJSON(). */
export interface GithubMatrix {
  include: Pick<Job, 'name' | 'slot' | 'kernels' | 'shard'>[];
}

/** @throws MacvlabError USAGE for more jobs than GitHub takes */
export function githubMatrix({ jobs }: JobPlan): GithubMatrix {
  refuseTooMany(jobs, githubJobs, 'GitHub');
  return { include: jobs.map(({ name, slot, kernels, shard }) => ({ name, slot, kernels, shard })) };
}

/** Jobs that `parallel:matrix` of GitLab may have (GitLab's documentation: "CI/CD YAML syntax reference", parallel:matrix). */
const gitlabJobs = 200;

/** Characters that a job's name may have in GitLab, where the matrix's values become part of it (as above). */
const gitlabName = 255;

/** The job, and with it the beginning of its jobs' names: `kernel: [6.12=…]`. */
const gitlabJob = 'kernel';

/** What the generated pipeline is completed by: image, runner and set-up of a kernel's job, and the job of the table. */
const gitlabTemplate = { file: '.gitlab/macvlab.yml', job: '.macvlab-kernel' };

/** A child pipeline of GitLab. Only what differs between jobs is in the matrix, so that their names stay short. */
export interface GitlabPipeline {
  include: { local: string }[];
  /** MACVLAB_JOBS is how many folders of matrices there will be, when none is missing. */
  variables: Record<string, string>;
  [gitlabJob]: {
    extends: string;
    variables: Record<string, string>;
    parallel: { matrix: Record<string, string>[] };
    script: string[];
  };
}

/**
 * @throws MacvlabError USAGE for more jobs, or longer names of them, than GitLab takes: it would make no pipeline at all, and
 * not say why (gitlab-org/gitlab#584573)
 */
export function gitlabPipeline(plan: JobPlan): GitlabPipeline {
  const { jobs } = plan;
  refuseTooMany(jobs, gitlabJobs, 'GitLab');
  const values = jobs.map(({ kernels, shard }) => ({
    MACVLAB_KERNELS: asValue(kernels),
    MACVLAB_SHARD: asValue(shard),
  }));
  const [first = { MACVLAB_KERNELS: '', MACVLAB_SHARD: '' }] = values;
  const byShard = values.length > 1 && values.every(({ MACVLAB_KERNELS }) => MACVLAB_KERNELS === first.MACVLAB_KERNELS);
  const matrix = values.map(({ MACVLAB_KERNELS, MACVLAB_SHARD }) =>
    byShard ? { MACVLAB_SHARD } : { MACVLAB_KERNELS },
  );
  const long = matrix
    .flatMap((variables) => Object.values(variables))
    .find((value) => nameOf(value).length > gitlabName);
  if (long !== undefined) {
    throw new MacvlabError('USAGE', `GitLab takes names of jobs of at most ${gitlabName} characters`, {
      evidence: nameOf(long),
      next: 'give the kernel a shorter name or path; or use --shards, where names have no kernels in them',
    });
  }
  const common = byShard ? { MACVLAB_KERNELS: first.MACVLAB_KERNELS } : { MACVLAB_SHARD: first.MACVLAB_SHARD };
  return {
    include: [{ local: gitlabTemplate.file }],
    variables: { MACVLAB_JOBS: `${jobs.length}` },
    [gitlabJob]: {
      extends: gitlabTemplate.job,
      variables: common,
      parallel: { matrix },
      script: [gitlabScript(plan)],
    },
  };
}

/** GitLab would replace what looks like a variable ("Use CI/CD variables", the $ character). */
function asValue(text: string): string {
  return text.replaceAll('$', () => '$$');
}

function nameOf(value: string): string {
  return `${gitlabJob}: [${value}]`;
}

/** Whether a failed test is bad news is for the table of all kernels to say; a job that leaves no records at all is red. */
function gitlabScript(plan: JobPlan): string {
  const command = ['npx', 'macvlab', 'matrix', '--kernels', '"$MACVLAB_KERNELS"', '--shard', '"$MACVLAB_SHARD"'];
  return [
    'status=0',
    `${[...command, ...wordsOfAll(plan).map(quoteArgument)].join(' ')} || status=$?`,
    'test -e reports/latest-matrix/matrix.json || exit 2',
    'exit "$status"',
  ].join('\n');
}

function refuseTooMany(jobs: readonly Job[], most: number, system: string): void {
  if (jobs.length <= most) return;
  throw new MacvlabError('USAGE', `${system} takes at most ${most} jobs in a matrix, and these are ${jobs.length}`, {
    next: `take parts of all kernels, such as --shards ${most}`,
  });
}

/** A job's command line, as a shell takes it. */
export function jobCommand(job: Job): string {
  return quoteCommand(['macvlab', ...job.arguments]);
}
