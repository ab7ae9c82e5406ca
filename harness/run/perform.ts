/** A run: builds labs, performs the selected experiments in them, and leaves records. */
import { hostname } from 'node:os';
import { version } from '../core/version.js';
import type { LabDriver } from '../lab/driver.js';
import { Lab } from '../lab/lab.js';
import { loadCatalogue, loadSuites, select, type SuiteFile } from './catalogue.js';
import { failureRecord } from './failure.js';
import type { RunPlan } from './plan.js';
import type { RunRecord, RunResults } from './record.js';
import { newRunId, RunFolder } from './run-folder.js';
import { onStage, type RunContext, Stage } from './stage.js';
import { toolVersions } from './tool-versions.js';

/** A lab that was left running. */
export interface LeftRunning {
  keeper: number;
  kernel: string;
  /** What its driver needs to reach it again. */
  state: unknown;
}

export interface Performance extends RunResults {
  kept: LeftRunning[];
}

/**
 * Performs a run. Whatever happens once its folder exists is told by its results; only what makes it impossible to begin
 * is thrown.
 * @throws MacvlabError USAGE when nothing matches the filters; OUT_NOT_WRITABLE
 */
export async function perform(plan: RunPlan, driver: LabDriver): Promise<Performance> {
  const experiments = select(await loadCatalogue(), plan);
  const run = beginning(plan, experiments.length);
  const folder = RunFolder.create(plan.out, run);
  const results: Performance = { folder: folder.path, run, records: [], kept: [] };
  const acts = await actsOf(new Set(experiments.map(({ test }) => test)));
  const runners = new Set<Mocha.Runner>();
  const context: RunContext = {
    folder,
    signal: plan.signal,
    listener: plan.listener,
    bail: plan.bail,
    numbers: new Map(experiments.map(({ test }, index) => [test, index + 1])),
    records: results.records,
    stop() {
      acts.length = 0;
      for (const runner of runners) runner.abort();
    },
  };
  plan.signal.addEventListener('abort', () => context.stop(), { once: true });
  // Whatever fails where nobody awaits it must not pass in silence, as it does below mocha.
  const stray = (error: unknown) => void (run.failure ??= failureRecord(error));
  process.on('unhandledRejection', stray);
  let begun = false;
  const begin = async (lab: Lab) => {
    run.kernel = lab.kernel;
    const tools = toolVersions(lab.machines.machine);
    if (begun) return;
    begun = true;
    plan.listener.begin(run, experiments.length);
    run.tools = await tools;
  };
  const jobs = Math.max(1, Math.min(plan.jobs, acts.length));
  try {
    const stages = await Promise.allSettled(
      Array.from({ length: jobs }, async () => {
        plan.signal.throwIfAborted();
        const lab = await Lab.open(driver);
        const stage = new Stage(lab, context);
        try {
          await Promise.all([begin(lab), lab.listen()]);
          lab.endWiring();
          for (let act = acts.shift(); act; act = acts.shift()) await performAct(act, stage, runners);
        } finally {
          await endLab(stage, plan, results);
        }
      }),
    );
    // One lab that fails ends no other: what is performed there is told, and its lab is ended.
    const failed = stages.find((outcome) => outcome.status === 'rejected');
    if (failed && !plan.signal.aborted) run.failure = failureRecord(failed.reason);
  } finally {
    process.off('unhandledRejection', stray);
  }
  plan.listener.end();
  await close(results, folder, plan);
  return results;
}

function beginning(plan: RunPlan, planned: number): RunRecord {
  return {
    schema: 1,
    id: newRunId(),
    macvlab: version(),
    arguments: [...plan.arguments],
    lab: plan.lab,
    kernel: '',
    machine: hostname(),
    tools: {},
    startedAt: new Date().toISOString(),
    planned,
    interrupted: false,
  };
}

/** The suite files with chosen experiments, those with the most first, so that labs are busy to the end. */
async function actsOf(chosen: ReadonlySet<Mocha.Test>): Promise<SuiteFile[]> {
  const files = await loadSuites();
  for (const { mocha } of files) keepOnly(mocha.suite, chosen);
  const acts = files.filter(({ mocha }) => mocha.suite.total() > 0);
  return acts.sort((a, b) => b.mocha.suite.total() - a.mocha.suite.total());
}

/** Takes all other tests out of mocha's tree, so that their suites are not even set up. */
function keepOnly(suite: Mocha.Suite, chosen: ReadonlySet<Mocha.Test>): void {
  suite.tests = suite.tests.filter((test) => chosen.has(test));
  for (const child of suite.suites) keepOnly(child, chosen);
}

async function performAct({ mocha }: SuiteFile, stage: Stage, runners: Set<Mocha.Runner>): Promise<void> {
  await new Promise<void>((resolve) => {
    onStage(stage, () => {
      const runner = mocha.run(() => {
        runners.delete(runner);
        resolve();
      });
      runners.add(runner);
    });
  });
}

async function endLab({ lab, disappointed }: Stage, plan: RunPlan, results: Performance): Promise<void> {
  if (plan.keep === 'always' || (plan.keep === 'on-failure' && disappointed)) {
    results.kept.push({ ...(await lab.keep()), kernel: lab.kernel });
  } else {
    await lab.close();
  }
}

async function close({ run, records }: RunResults, folder: RunFolder, plan: RunPlan): Promise<void> {
  try {
    await folder.written();
  } catch (error) {
    run.failure ??= failureRecord(error);
  }
  records.sort((a, b) => a.number - b.number);
  run.interrupted = plan.signal.aborted;
  run.endedAt = new Date().toISOString();
  run.durationMs = Date.parse(run.endedAt) - Date.parse(run.startedAt);
  folder.finish(run);
}
