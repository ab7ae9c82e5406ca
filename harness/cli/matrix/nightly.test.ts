import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { planJobs } from '../../matrix/plan/job-plan.js';
import { githubMatrix } from '../../report/matrix/ci-jobs.js';
import { aKernel, aMatrix } from '../../matrix/matrix.test-support.js';
import {
  expressionsIn,
  namesIn,
  needsOf,
  problemsOf,
  readWorkflow,
  type WorkflowJob,
} from './workflow.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const file = fileURLToPath(new URL('../../../../.github/workflows/nightly.yml', import.meta.url));
const content = readFileSync(file, 'utf8');
const workflow = readWorkflow(file);
const jobs = Object.entries(workflow.jobs);
const scripts = jobs.flatMap(([id, { steps }]) =>
  steps.flatMap(({ name, run }) => (run === undefined ? [] : [{ name: `${id}: ${name}`, run }])),
);

/** The names of each context, for the expressions of one step. A step’s outputs are those that earlier scripts write. */
function namesFor(job: WorkflowJob, before = job.steps.length): Set<string> {
  const earlier = job.steps.slice(0, before).filter(({ id }) => id !== undefined);
  const [entry = {}] = githubMatrix(planJobs(aMatrix({ kernels: [aKernel('6.12.1')] }), { folder: '/' })).include;
  return new Set([
    ...Object.keys(workflow.on.workflow_dispatch.inputs).map((name) => `inputs.${name}`),
    ...needsOf(job).flatMap((name) => [
      `needs.${name}.result`,
      ...Object.keys(workflow.jobs[name]?.outputs ?? {}).map((output) => `needs.${name}.outputs.${output}`),
    ]),
    ...earlier.flatMap(({ id, run = '' }) => [
      `steps.${id}.outcome`,
      ...[...run.matchAll(/\b(\w+)=\S*?(?:\\n)?' .*>>"\$GITHUB_OUTPUT"/g)].map(
        ([, name]) => `steps.${id}.outputs.${name}`,
      ),
    ]),
    ...(job.strategy ? Object.keys(entry).map((name) => `matrix.${name}`) : []),
    ...['cancelled()', 'fromJSON()'],
  ]);
}

describe('the nightly workflow', () => {
  it('is a workflow to GitHub’s own parser', () => {
    expect(problemsOf(content)).to.deep.equal([]);
    // The parser detects errors.
    for (const [right, wrong, said] of [
      ['runs-on:', 'runs-no:', "Unexpected value 'runs-no'"],
      ['contents: read', 'contents: red', "Unexpected value 'red'"],
      ['inputs.filters', 'input.filters', "Unrecognized named-value: 'input'"],
      ['needs.plan.result ==', 'steps.plan.result ==', "Unrecognized named-value: 'steps'"],
      ["inputs.kernels || 'all'", "inputs.kernels | 'all'", "Unexpected symbol: '|'"],
    ] as const) {
      expect(problemsOf(content.replace(right, wrong)).join('\n')).to.include(said);
    }
  });

  it('needs jobs that there are, each behind those that it needs', () => {
    const names = jobs.map(([name]) => name);
    for (const [name, job] of jobs) {
      for (const needed of needsOf(job)) expect(names.slice(0, names.indexOf(name)), name).to.include(needed);
    }
  });

  it('names in expressions only what exists where they stand', () => {
    for (const [id, job] of jobs) {
      const { steps, ...rest } = job;
      const { outputs, ...head } = rest;
      // A job's condition and matrix are evaluated before its steps.
      for (const { path, text } of expressionsIn(head, `jobs.${id}`)) {
        for (const name of namesIn(text)) expect([...namesFor(job, 0)], path).to.include(name);
      }
      for (const { path, text } of expressionsIn({ outputs }, `jobs.${id}`)) {
        for (const name of namesIn(text)) expect([...namesFor(job)], path).to.include(name);
      }
      steps.forEach((step, position) => {
        for (const { path, text } of expressionsIn(step, `jobs.${id}.steps.${position}`)) {
          for (const name of namesIn(text)) expect([...namesFor(job, position)], path).to.include(name);
        }
      });
    }
    const others = expressionsIn({ ...workflow, jobs: {} });
    expect(others).to.deep.equal([]);
  });

  it('puts no expression into a script: what somebody types is never a part of a program', () => {
    for (const { name, run } of scripts) expect(run, name).to.not.include('${{');
    for (const [, { steps }] of jobs) for (const { uses } of steps) expect(uses ?? '').to.not.include('${{');
  });

  it('gives each job the least that it needs, and who may write performs no code of ours', () => {
    expect(workflow.permissions).to.deep.equal({});
    for (const [id, { permissions, steps }] of jobs) {
      const mayWrite = id === 'history';
      expect(permissions, id).to.deep.equal({ contents: mayWrite ? 'write' : 'read' });
      for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))) {
        expect(step.with?.['persist-credentials'], id).to.equal(mayWrite ? undefined : false);
      }
    }
    const writing = scripts.filter(({ name }) => name.startsWith('history: '));
    expect(writing).to.have.length(1);
    expect(writing[0]?.run).to.not.match(/\b(?:npm|npx|node|make)\b/);
  });

  it('pins every action and image, and bounds every job in time', () => {
    for (const [id, { steps, container, 'runs-on': machine, 'timeout-minutes': minutes }] of jobs) {
      for (const { uses } of steps) if (uses !== undefined) expect(uses, id).to.match(/^actions\/[a-z-]+@v\d+$/);
      const image = typeof container === 'object' ? container.image : container;
      if (image !== undefined) expect(image, id).to.match(/^node:20-[a-z]+$/);
      expect(machine, id).to.match(/^ubuntu-\d+\.\d+$/);
      expect(minutes, id).to.be.within(5, 360);
      for (const step of steps) expect(step['timeout-minutes'] ?? 0, id).to.be.below(minutes ?? 0);
    }
  });

  it('lets all kernels be performed when one is red, and one night at a time', () => {
    expect(workflow.jobs['kernel']?.strategy?.['fail-fast']).to.equal(false);
    expect(workflow.concurrency).to.deep.equal({ group: 'nightly', 'cancel-in-progress': false });
    expect(workflow.on.schedule).to.have.length(1);
  });

  for (const { name, run } of scripts) {
    it(`has a script that bash can read, and that ends at the first error (${name})`, () => {
      expect(run.split('\n')[0]).to.equal('set -euo pipefail');
      const { status, stderr } = spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    });
  }

  it('has scripts that shellcheck is content with', function () {
    this.timeout(60_000);
    needs(this, 'shellcheck');
    for (const { name, run } of scripts) {
      const { stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], { input: run, encoding: 'utf8' });
      expect(stdout, name).to.equal('');
    }
  });
});
