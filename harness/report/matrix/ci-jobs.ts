/** The jobs of a matrix in the formats of CI systems. */
import { MacvlabError } from '../../core/error.js';
import { wordsOfAll, type Job, type JobPlan } from '../../matrix/plan/job-plan.js';
import { quoteArgument } from '../../remote/quote.js';

/** Maximum number of jobs in one matrix of GitHub Actions (GitHub's documentation: "Actions limits", job matrix). */
const githubJobs = 256;

/** The value of `strategy.matrix` in a GitHub workflow, through fromJSON(). */
export interface GithubMatrix {
  include: Pick<Job, 'name' | 'slot' | 'kernels' | 'shard'>[];
}

/** @throws MacvlabError USAGE for more jobs than GitHub accepts */
export function githubMatrix({ jobs }: JobPlan): GithubMatrix {
  refuseTooMany(jobs, githubJobs, 'GitHub');
  return { include: jobs.map(({ name, slot, kernels, shard }) => ({ name, slot, kernels, shard })) };
}

/** Maximum number of jobs in GitLab's `parallel:matrix` (GitLab's documentation: "CI/CD YAML syntax reference", parallel:matrix). */
const gitlabJobs = 200;

/** Maximum length of a job's name in GitLab; the matrix's values become part of the name (as above). */
const gitlabName = 255;

/** The job's name, which begins the names of the matrix's jobs: `kernel: [6.12=…]`. */
const gitlabJob = 'kernel';

/** The template that completes the generated pipeline: image, runner and set-up of a kernel's job, and the job of the table. */
const gitlabTemplate = { file: '.gitlab/macvlab.yml', job: '.macvlab-kernel' };

/** A child pipeline of GitLab. The matrix has only values that differ between jobs, so that job names stay short. */
export interface GitlabPipeline {
  include: { local: string }[];
  /** MACVLAB_JOBS is the number of matrix folders if none is missing. */
  variables: Record<string, string>;
  [gitlabJob]: {
    extends: string;
    variables: Record<string, string>;
    parallel: { matrix: Record<string, string>[] };
    script: string[];
  };
}

/**
 * @throws MacvlabError USAGE for more jobs, or longer job names, than GitLab accepts: it would make no pipeline and
 * give no reason (gitlab-org/gitlab#584573)
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

/** Escapes the $ character, because GitLab would expand variables ("Use CI/CD variables", the $ character). */
function asValue(text: string): string {
  return text.replaceAll('$', () => '$$');
}

function nameOf(value: string): string {
  return `${gitlabJob}: [${value}]`;
}

/** The table of all kernels judges failed tests; a job without records is red. */
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
