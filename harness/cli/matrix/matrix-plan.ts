/** Prints what a matrix would run. */
import { jobCommand, type JobPlan, type PlanForm } from '../../matrix/plan/job-plan.js';
import { githubMatrix, gitlabPipeline } from '../../report/matrix/ci-jobs.js';
import { print, printJson } from '../output.js';
import { columns } from '../../report/width.js';

/** @throws MacvlabError USAGE for a plan that the CI system cannot accept; then nothing is printed */
export function sayJobPlan(plan: JobPlan, form: PlanForm): void {
  switch (form) {
    case 'text':
      return print(...planLines(plan));
    case 'json':
      return printJson({ ...plan, github: githubMatrix(plan), gitlab: gitlabPipeline(plan) });
    case 'github':
      // A step's output for other jobs is one line (GitHub's documentation: "Setting an output parameter").
      return printJson(githubMatrix(plan), 0);
    case 'gitlab':
      return printJson(gitlabPipeline(plan));
  }
}

function planLines({ kernels, experiments, jobs }: JobPlan): string[] {
  return [
    `${count(kernels.length, 'kernel')}:`,
    ...indented(columns(kernels.map(({ argument, origin = 'your own' }) => [argument, origin]))),
    `${count(experiments.length, 'experiment')} on each:`,
    ...indented(columns(experiments.map(({ id, title }) => [id, title]))),
    `${count(jobs.length, 'job')}:`,
    ...indented(columns(jobs.map((job) => [jobCommand(job), `# ${count(job.experiments, 'experiment')}`]))),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
