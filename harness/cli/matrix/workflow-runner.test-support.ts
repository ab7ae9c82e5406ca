/**
 * Runs a workflow's jobs on this machine, for tests. Each script runs for real in a folder of its own, by bash as
 * GitHub calls it. Actions are simulated: a checkout is a clone of a local repository, an artifact is a folder.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Contexts, filledIn, isPerformed, needsOf, type Step, type Workflow } from './workflow.test-support.js';

export type Result = 'success' | 'failure' | 'skipped';

export interface PerformedStep {
  name: string;
  outcome: Result;
  /** The text on both outputs of the script. */
  output: string;
  outputs: Record<string, string>;
}

export interface PerformedJob {
  result: Result;
  outputs: Record<string, string>;
  steps: PerformedStep[];
  /** The text that was written to the page of the run. */
  summary: string;
}

/** The results of the jobs, by their ids; for a job with a matrix, one per entry. */
export type Jobs = Map<string, PerformedJob[]>;

export interface RunnerOptions {
  workflow: Workflow;
  /** The folder for all files. */
  folder: string;
  /** The repository that is checked out and pushed to. */
  origin: string;
  /** Programs that are found before the machine's own. */
  programs: string;
  /** Added to the environment of all scripts. */
  env: Record<string, string>;
}

/** One run of a workflow. */
export class WorkflowRun {
  readonly #options: RunnerOptions;
  readonly #inputs: Record<string, string>;
  readonly #done: Jobs = new Map();
  #workspaces = 0;

  /** @param inputs as given by the user; none for a scheduled run */
  constructor(options: RunnerOptions, inputs: Record<string, string> = {}) {
    this.#options = options;
    this.#inputs = inputs;
    mkdirSync(join(options.folder, 'artifacts'), { recursive: true });
  }

  /** Runs all jobs, each after those that it needs; a job with a matrix once for each of its entries. */
  async perform(): Promise<Jobs> {
    for (const [id, job] of Object.entries(this.#options.workflow.jobs)) {
      const needed = needsOf(job);
      const waiting = needed.filter((name) => !this.#done.has(name));
      if (waiting.length > 0) throw new Error(`${id} stands before ${waiting.join(', ')}, which it needs`);
      const contexts = this.#contexts(needed);
      const failed = needed.some((name) => this.#resultOf(name) !== 'success');
      if (!isPerformed(job.if, contexts, failed)) {
        this.#done.set(id, [{ result: 'skipped', outputs: {}, steps: [], summary: '' }]);
        continue;
      }
      const entries = job.strategy ? matrixEntries(filledIn(job.strategy.matrix, contexts)) : [{}];
      const performed = entries.map((matrix) => this.#performJob(id, { ...contexts, matrix }));
      this.#done.set(id, await Promise.all(performed));
    }
    return this.#done;
  }

  #contexts(needed: readonly string[]): Contexts {
    const needs = needed.map((name) => [
      name,
      { result: this.#resultOf(name), outputs: this.#done.get(name)?.[0]?.outputs ?? {} },
    ]);
    return { inputs: this.#inputs, needs: Object.fromEntries(needs) as Contexts, matrix: {}, steps: {} };
  }

  #resultOf(name: string): Result {
    const results = (this.#done.get(name) ?? []).map(({ result }) => result);
    return (
      results.find((result) => result === 'failure') ?? results.find((result) => result === 'skipped') ?? 'success'
    );
  }

  async #performJob(id: string, given: Contexts): Promise<PerformedJob> {
    const workspace = join(this.#options.folder, `${++this.#workspaces}-${id}`);
    mkdirSync(workspace, { recursive: true });
    const summaryFile = `${workspace}.summary`;
    const steps: Record<string, { outcome: Result; outputs: Record<string, string> }> = {};
    const performed: PerformedStep[] = [];
    const job = this.#options.workflow.jobs[id];
    if (!job) throw new Error(`there is no job ${id}`);
    let failed = false;
    for (const step of job.steps) {
      const contexts = { ...given, steps };
      const name = step.name ?? step.uses ?? '';
      const done: PerformedStep = isPerformed(step.if, contexts, failed)
        ? await this.#performStep(step, name, contexts, { workspace, summaryFile })
        : { name, outcome: 'skipped', output: '', outputs: {} };
      failed ||= done.outcome === 'failure';
      performed.push(done);
      if (step.id !== undefined) steps[step.id] = { outcome: done.outcome, outputs: done.outputs };
    }
    const outputs = Object.entries(job.outputs ?? {}).map(([key, value]) => [
      key,
      filledIn(value, { ...given, steps }),
    ]);
    return {
      result: failed ? 'failure' : 'success',
      outputs: Object.fromEntries(outputs) as Record<string, string>,
      steps: performed,
      summary: existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '',
    };
  }

  async #performStep(
    step: Step,
    name: string,
    contexts: Contexts,
    { workspace, summaryFile }: { workspace: string; summaryFile: string },
  ): Promise<PerformedStep> {
    if (step.uses !== undefined) {
      const inputs = Object.entries(step.with ?? {}).map(([key, value]) => [key, filledIn(String(value), contexts)]);
      this.#act(step.uses, Object.fromEntries(inputs) as Record<string, string>, workspace);
      return { name, outcome: 'success', output: '', outputs: {} };
    }
    const { workflow, programs, env } = this.#options;
    const own = Object.entries(step.env ?? {}).map(([key, value]) => [key, filledIn(value, contexts)]);
    const [script, outputFile] = [`${workspace}.sh`, `${workspace}.output`];
    writeFileSync(script, step.run ?? '');
    writeFileSync(outputFile, '');
    // The same command as GitHub's: "Workflow syntax for GitHub Actions", defaults.run.shell.
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd: workspace,
      env: {
        ...{ PATH: `${programs}:${process.env['PATH'] ?? ''}`, HOME: this.#options.folder, CI: 'true' },
        ...{ GITHUB_WORKSPACE: workspace, GITHUB_OUTPUT: outputFile, GITHUB_STEP_SUMMARY: summaryFile },
        ...env,
        ...workflow.env,
        ...(Object.fromEntries(own) as Record<string, string>),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close');
    const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join('');
    await closed;
    return { name, outcome: child.exitCode === 0 ? 'success' : 'failure', output, outputs: outputsIn(outputFile) };
  }

  #act(uses: string, inputs: Record<string, string>, workspace: string): void {
    const [action] = uses.split('@');
    const artifacts = join(this.#options.folder, 'artifacts');
    const path = join(workspace, inputs['path'] ?? '');
    if (action === 'actions/checkout') {
      checkOut(this.#options.origin, workspace, inputs);
    } else if (action === 'actions/upload-artifact') {
      // Without files, the action only warns.
      if (existsSync(path))
        cpSync(path, join(artifacts, inputs['name'] ?? ''), { recursive: true, errorOnExist: true });
    } else if (action === 'actions/download-artifact') {
      const { name, pattern = name } = inputs;
      const begin = pattern?.replace(/\*$/, '') ?? '';
      const wanted = readdirSync(artifacts).filter((each) => each === name || (!name && each.startsWith(begin)));
      if (name && wanted.length === 0) throw new Error(`there is no artifact ${name}`);
      for (const each of wanted) cpSync(join(artifacts, each), path, { recursive: true });
    } else throw new Error(`${uses} is not played here`);
  }
}

/** Clones as the action does: one commit of one branch unless all are requested, and no pushes without credentials. */
function checkOut(origin: string, workspace: string, inputs: Record<string, string>): void {
  const all = inputs['fetch-depth'] === '0';
  const git = (...words: string[]) => execFileSync('git', words, { cwd: workspace, stdio: 'pipe' });
  git('clone', '--quiet', ...(all ? [] : ['--depth=1', '--single-branch']), `file://${origin}`, '.');
  if (inputs['persist-credentials'] === 'false')
    git('remote', 'set-url', '--push', 'origin', '/credentials/are/missing');
}

function matrixEntries(text: string): Record<string, string>[] {
  return (JSON.parse(text) as { include: Record<string, string>[] }).include;
}

/** The `name=value` lines that a script has written. */
function outputsIn(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
