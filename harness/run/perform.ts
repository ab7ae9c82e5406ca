/** A run: builds labs, performs the selected experiments in them, and leaves records. */
import { hostname } from 'node:os';
import { messageOf } from '../core/error.js';
import { version } from '../core/version.js';
import type { LabDriver } from '../lab/driver.js';
import { loadCatalogue, loadSuites, select, type SuiteFile } from './catalogue.js';
import { failureRecord } from './failure.js';
import type { RunPlan } from './plan.js';
import type { RunRecord, RunResults } from './record.js';
import { newRunId, RunFolder } from './run-folder.js';
import { Performing } from './performing.js';
import type { RunContext } from './stage.js';
import { Venue } from './venue.js';

/** A lab that was left running. */
export interface LeftRunning {
  /** Name of its driver. */
  driver: string;
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
 * @param drivers the labs that may be used, the cheapest first: each suite is performed in the first that can carry it
 * @throws MacvlabError USAGE when nothing matches the filters; OUT_NOT_WRITABLE
 */
export async function perform(plan: RunPlan, drivers: readonly LabDriver[]): Promise<Performance> {
  const experiments = select(await loadCatalogue(), plan);
  const run = beginning(plan, experiments.length);
  const folder = RunFolder.create(plan.out, run);
  const results: Performance = { folder: folder.path, run, records: [], kept: [] };
  const acts = await actsOf(new Set(experiments.map(({ test }) => test)));
  const venues = venuesOf(drivers, plan);
  const runners = new Set<Mocha.Runner>();
  const uncaught = new AbortController();
  const context: RunContext = {
    folder,
    signal: plan.signal,
    uncaught: uncaught.signal,
    listener: plan.listener,
    performed: plan.performed,
    bail: plan.bail,
    keep: plan.keep,
    numbers: new Map(experiments.map(({ test }, index) => [test, index + 1])),
    records: results.records,
    stop(after) {
      if (after !== undefined) run.endedAfter ??= after;
      for (const venue of venues) {
        venue.takeAll();
        venue.complete();
      }
      for (const runner of runners) runner.abort();
    },
  };
  plan.signal.addEventListener('abort', () => context.stop(), { once: true });
  // Whatever fails where nobody awaits it must not pass in silence, as it does below mocha.
  const stray = (error: unknown) => void (run.failure ??= failureRecord(error));
  process.on('unhandledRejection', stray);
  // Whose exception it is, nothing tells: what is under way in any lab is no good, and neither is what would follow there.
  const broken = (error: unknown) => {
    stray(error);
    uncaught.abort(
      new Error(`an exception was thrown where nothing catches it: ${messageOf(error)}`, { cause: error }),
    );
    context.stop();
  };
  process.on('uncaughtException', broken);
  venues[0]?.add(acts);
  venues[0]?.complete();
  const performing = new Performing({ plan, context, results, runners, experiments });
  try {
    await Promise.all(venues.map((venue, index) => performing.at(venue, venues[index + 1])));
  } finally {
    process.off('unhandledRejection', stray);
    process.off('uncaughtException', broken);
  }
  if (performing.failure !== undefined && !plan.signal.aborted) run.failure ??= failureRecord(performing.failure);
  plan.listener.end();
  await close(results, folder, plan);
  return results;
}

/**
 * Where experiments are performed, the cheapest first. While a set-up is at work, the first labs are opened at once, and what they
 * cannot carry yet is for labs of the same kind that are opened when it has ended.
 */
function venuesOf(drivers: readonly LabDriver[], plan: RunPlan): Venue[] {
  const venues = drivers.map((driver, index) => new Venue(driver, jobsAt(driver, index, plan), plan.setUp));
  const [first] = drivers;
  return plan.setUp && first ? [new Venue(first, jobsAt(first, 0, plan)), ...venues] : venues;
}

/** Labs of a more costly kind stand beside those of the first, and are half as many. */
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

/** The suite files with chosen experiments. */
async function actsOf(chosen: ReadonlySet<Mocha.Test>): Promise<SuiteFile[]> {
  const files = await loadSuites();
  for (const { mocha } of files) keepOnly(mocha.suite, chosen);
  return files.filter(({ mocha }) => mocha.suite.total() > 0);
}

/** Takes all other tests out of mocha's tree, so that their suites are not even set up. */
function keepOnly(suite: Mocha.Suite, chosen: ReadonlySet<Mocha.Test>): void {
  suite.tests = suite.tests.filter((test) => chosen.has(test));
  for (const child of suite.suites) keepOnly(child, chosen);
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
