/** Makes a run: builds labs, runs the selected experiments in them, and writes records. */
import { hostname } from 'node:os';
import { messageOf } from '../core/error.js';
import { version } from '../core/version.js';
import type { LabDriver } from '../machine/driver.js';
import { loadCatalogue, loadSuites, select, type SuiteFile } from './suite/catalogue.js';
import { failureRecord } from './failure.js';
import type { RunPlan } from './plan.js';
import { keyOf, type RunRecord, type RunResults } from './record.js';
import type { Experiment } from './suite/experiment-spec.js';
import { newRunId, RunFolder } from './run-folder.js';
import { type FinishedRun, SuiteRunner } from './suite-runner.js';
import type { RunContext } from './suite-state.js';
import { Backend } from './backend.js';

/**
 * Makes a run. After its folder exists, the results report every failure. It throws only if the run cannot begin.
 * @param drivers the labs that may be used, from the cheapest: each suite runs in the first that can carry it
 * @throws MacvlabError USAGE if a filter matches nothing; OUT_NOT_WRITABLE
 */
export async function runSuites(plan: RunPlan, drivers: readonly LabDriver[]): Promise<FinishedRun> {
  const experiments = select(await loadCatalogue(), plan);
  const run = beginning(plan, experiments.length);
  const folder = RunFolder.create(plan.out, run);
  const results: FinishedRun = { folder: folder.path, run, records: [], kept: [] };
  const files = filesOf(await loadSuites(), experiments);
  const backends = backendsOf(drivers, plan);
  const runners = new Set<Mocha.Runner>();
  const uncaught = new AbortController();
  const context: RunContext = {
    folder,
    signal: plan.signal,
    uncaught: uncaught.signal,
    listener: plan.listener,
    experimentEnded: plan.experimentEnded,
    pauseOnFailure: plan.pauseOnFailure,
    bail: plan.bail,
    keep: plan.keep,
    pcapPerPoint: plan.pcapPerPoint === true,
    ...(plan.captureTo && { captureTo: plan.captureTo }),
    numbers: new Map(experiments.map((experiment, index) => [keyOf(experiment), index + 1])),
    records: results.records,
    stop(after) {
      if (after !== undefined) run.endedAfter ??= after;
      for (const backend of backends) {
        backend.takeAll();
        backend.complete();
      }
      for (const runner of runners) runner.abort();
    },
  };
  plan.signal.addEventListener('abort', () => context.stop(), { once: true });
  // Mocha ignores an unhandled rejection. Here it becomes a failure of the run.
  const stray = (error: unknown) => void (run.failure ??= failureRecord(error));
  process.on('unhandledRejection', stray);
  // The source of an uncaught exception is unknown: current and following results of all labs prove nothing.
  const broken = (error: unknown) => {
    stray(error);
    uncaught.abort(
      new Error(`an exception was thrown where nothing catches it: ${messageOf(error)}`, { cause: error }),
    );
    context.stop();
  };
  process.on('uncaughtException', broken);
  backends[0]?.add(files);
  backends[0]?.complete();
  const runner = new SuiteRunner({ plan, context, results, runners, experiments });
  try {
    await Promise.all(backends.map((backend, index) => runner.at(backend, backends[index + 1])));
  } finally {
    process.off('unhandledRejection', stray);
    process.off('uncaughtException', broken);
  }
  if (runner.failure !== undefined && !plan.signal.aborted) run.failure ??= failureRecord(runner.failure);
  plan.listener.end();
  await close(results, folder, plan);
  return results;
}

/**
 * The backends, from the cheapest. While a set-up runs, the first labs open at once. Experiments that they cannot carry
 * yet go to labs of the same kind that open when the set-up has ended.
 */
function backendsOf(drivers: readonly LabDriver[], plan: RunPlan): Backend[] {
  const backends = drivers.map((driver, index) => new Backend(driver, jobsAt(driver, index, plan), plan.setUp));
  const [first] = drivers;
  return plan.setUp && first ? [new Backend(first, jobsAt(first, 0, plan)), ...backends] : backends;
}

/** More costly labs run in addition to the first kind of labs, and are half as many. */
function jobsAt({ labs = Infinity }: LabDriver, index: number, { jobs }: RunPlan): number {
  return Math.max(1, Math.min(labs, index === 0 ? jobs : Math.floor(jobs / 2)));
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

/** The suite files with chosen experiments, without their other experiments. */
function filesOf(all: readonly SuiteFile[], chosen: readonly Experiment[]): SuiteFile[] {
  const files = all.map((file) => ({
    ...file,
    experiments: chosen.filter((experiment) => experiment.file === file.file),
  }));
  return files.filter(({ experiments }) => experiments.length > 0);
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
