/** A run: builds the lab, performs the selected experiments, and leaves records of them. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type Mocha from 'mocha';
import { MacvlabError } from '../core/error.js';
import type { LabDriver } from '../lab/driver.js';
import { Lab } from '../lab/lab.js';
import { type Experiment, loadCatalogue, loadSuites, select } from './catalogue.js';
import type { RunPlan } from './plan.js';
import type { RunRecord, RunResults } from './record.js';
import { newRunId, RunFolder } from './run-folder.js';
import { failureRecord, setStage, Stage } from './stage.js';
import { toolVersions } from './tool-versions.js';

/** The results, and the lab when it was left running. */
export interface Performance extends RunResults {
  kept?: { keeper: number; state: unknown };
}

/**
 * Performs a run. Whatever happens once its folder exists is told by its results; only what makes it impossible to begin
 * is thrown.
 * @throws MacvlabError USAGE when nothing matches the filters; OUT_NOT_WRITABLE
 */
export async function perform(plan: RunPlan, driver: LabDriver): Promise<Performance> {
  const experiments = select(await loadCatalogue(), plan);
  const run: RunRecord = {
    schema: 1,
    id: newRunId(),
    macvlab: version(),
    arguments: [...plan.arguments],
    lab: plan.lab,
    kernel: '',
    machine: hostname(),
    tools: {},
    startedAt: new Date().toISOString(),
    planned: experiments.length,
    interrupted: false,
  };
  const folder = RunFolder.create(plan.out, run);
  const results: Performance = { folder: folder.path, run, records: [] };
  let lab: Lab | undefined;
  try {
    plan.signal.throwIfAborted();
    lab = await Lab.open(driver);
    run.kernel = lab.kernel;
    const [tools] = await Promise.all([toolVersions(lab.machines.machine), lab.listen()]);
    run.tools = tools;
    lab.endWiring();
    plan.listener.begin(run, experiments.length);
    results.records = await performIn(lab, experiments, folder, plan);
  } catch (error) {
    if (!plan.signal.aborted) run.failure = failureRecord(error);
  } finally {
    plan.listener.end();
    await endLab(lab, plan, results);
  }
  run.interrupted = plan.signal.aborted;
  run.endedAt = new Date().toISOString();
  run.durationMs = Date.parse(run.endedAt) - Date.parse(run.startedAt);
  folder.finish(run);
  return results;
}

async function performIn(
  lab: Lab,
  experiments: readonly Experiment[],
  folder: RunFolder,
  plan: RunPlan,
): Promise<RunResults['records']> {
  const mocha = await loadSuites();
  keepOnly(mocha.suite, new Set(experiments.map(({ test }) => test)));
  let runner: Mocha.Runner | undefined;
  const stage = new Stage({
    lab,
    folder,
    signal: plan.signal,
    listener: plan.listener,
    bail: plan.bail,
    stop: () => runner?.abort(),
  });
  setStage(stage);
  await new Promise<void>((resolve) => {
    runner = mocha.run(() => resolve());
  });
  return stage.records;
}

/** Takes all other tests out of mocha's tree, so that their suites are not even set up. */
function keepOnly(suite: Mocha.Suite, chosen: ReadonlySet<Mocha.Test>): void {
  suite.tests = suite.tests.filter((test) => chosen.has(test));
  for (const child of suite.suites) keepOnly(child, chosen);
}

async function endLab(lab: Lab | undefined, plan: RunPlan, results: Performance): Promise<void> {
  if (!lab) return;
  const good =
    results.run.failure === undefined &&
    results.records.every(({ verdict }) => verdict === 'passed' || verdict === 'skipped');
  try {
    if (plan.keep === 'always' || (plan.keep === 'on-failure' && !good)) results.kept = await lab.keep();
    else await lab.close();
  } catch (error) {
    results.run.failure ??= failureRecord(error);
  }
}

function version(): string {
  const manifest = new URL('../../../package.json', import.meta.url);
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
  } catch (error) {
    throw new MacvlabError('USAGE', 'macvlab’s own package.json cannot be read', {
      next: 'install macvlab anew',
      cause: error,
    });
  }
}
