/** Printing what a matrix would perform. */
import { githubMatrix, gitlabPipeline, jobCommand, type JobPlan, type PlanForm } from '../matrix/job-plan.js';
import { columns, say, sayJson } from './output.js';

/** @throws MacvlabError USAGE for a plan that the CI system cannot take; nothing is printed then */
export function sayJobPlan(plan: JobPlan, form: PlanForm): void {
  switch (form) {
    case 'text':
      return say(...planLines(plan));
    case 'json':
      return sayJson({ ...plan, github: githubMatrix(plan), gitlab: gitlabPipeline(plan) });
    case 'github':
      // What a step gives to other jobs is a line (GitHub's documentation: "Setting an output parameter").
      return sayJson(githubMatrix(plan), 0);
    case 'gitlab':
      return sayJson(gitlabPipeline(plan));
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
