/** The stage of a run: its lab, its folder, and what becomes of each experiment. One per process, as with mocha's suites. */
import { assertionsMade } from '../expect/expect.js';
import { type ErrorCode, MacvlabError, messageOf } from '../core/error.js';
import { patience, within } from '../core/wait.js';
import { type Feature, whyNot } from '../lab/features.js';
import type { AddressPlan, Lab } from '../lab/lab.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { collectEvidence } from './evidence.js';
import type { Experiment } from './experiment.js';
import type { RunListener } from './plan.js';
import type { Failure, TestRecord } from './record.js';
import type { RunFolder } from './run-folder.js';

/** A suite while it is performed. */
export interface SuiteState {
  /** Title of the outermost suite. */
  title: string;
  parent: SuiteState | undefined;
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
  /** Why its set-up failed. */
  failure?: unknown;
  /** Where the commands of its set-up begin in the lab's log. */
  commandsFrom?: number;
  commandsTo?: number;
}

/** Milliseconds that a test may take; a deadline for what hangs, far beyond what any test needs. */
const testDeadline = 120_000;

export class Stage {
  readonly lab: Lab;
  readonly folder: RunFolder;
  readonly records: TestRecord[] = [];
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  /** Called when no further experiment should be begun. */
  readonly stop: () => void;
  readonly bail: boolean;
  /** What has made the lab unusable for all that follows. */
  damage: unknown;
  readonly #missing = new Map<Feature, Promise<string | undefined>>();

  constructor(options: Pick<Stage, 'lab' | 'folder' | 'signal' | 'listener' | 'stop' | 'bail'>) {
    this.lab = options.lab;
    this.folder = options.folder;
    this.signal = options.signal;
    this.listener = options.listener;
    this.stop = options.stop;
    this.bail = options.bail;
  }

  /** Begins a suite: its scope, and its addresses. */
  async enterSuite(state: SuiteState, title: string, addresses: AddressPlan): Promise<void> {
    state.commandsFrom = this.lab.log.mark();
    this.lab.scopes.enter(title);
    await this.attempt(state, () => this.lab.configure(addresses));
  }

  /** Does a part of a suite's set-up; a failure is kept for its experiments to report. */
  async attempt(state: SuiteState, work: () => Promise<void>): Promise<void> {
    if (failureOf(state) !== undefined || this.damage !== undefined || this.signal.aborted) return;
    try {
      await work();
    } catch (error) {
      state.failure = error;
    }
    state.commandsTo = this.lab.log.mark();
  }

  /** Ends a suite, and undoes what it made. What cannot be undone makes the lab unusable for what follows. */
  async leaveSuite(state: SuiteState): Promise<void> {
    try {
      await this.lab.scopes.leave();
    } catch (error) {
      this.damage ??= error;
      state.failure ??= error;
    }
  }

  /** Why a feature is missing in this lab; tried once. */
  async missing(feature: Feature): Promise<string | undefined> {
    const known = this.#missing.get(feature) ?? whyNot(this.lab, feature);
    this.#missing.set(feature, known);
    return known;
  }
}

let current: Stage | undefined;

/** The stage that is set. @throws Error outside a run */
export function stage(): Stage {
  if (!current) throw new Error('suites are performed by `macvlab run`, which builds their lab');
  return current;
}

/** Sets the stage for a run. */
export function setStage(next: Stage): void {
  current = next;
}

type Observed = TestRecord['observed'];

/** Performs one experiment, and writes its record with its evidence. Never throws for what the experiment does. */
export async function performExperiment(
  about: Omit<Experiment, 'test'>,
  state: SuiteState,
  body: (observe: (name: string, value: Observed[string]) => void) => Promise<void>,
): Promise<TestRecord> {
  const { lab, records, folder, listener, signal, bail, stop } = stage();
  const number = records.length + 1;
  listener.testStarted(`${about.id} ${about.title}`, number);
  const observed: Observed = {};
  const startedAt = new Date();
  const began = performance.now();
  const commandsFrom = lab.log.mark();
  const assertionsBefore = assertionsMade();
  let outcome = await beforehand(about, state);
  if (!outcome) {
    for (const capture of lab.captures) capture.forget();
    lab.scopes.enter(`${about.id} ${about.title}`);
    outcome = await judged(() =>
      within(
        body((name, value) => (observed[name] = value)),
        {
          what: `${about.id} to end`,
          deadline: patience(testDeadline),
          signal,
        },
      ),
    );
    const assertions = assertionsMade() - assertionsBefore;
    if (outcome.verdict === 'passed' && assertions === 0) outcome = asserted0(about.id);
  }
  const durationMs = performance.now() - began;
  const record: TestRecord = {
    schema: 1,
    number,
    id: about.id,
    title: about.title,
    suite: about.suite,
    file: about.file,
    modes: [...about.modes],
    ...outcome,
    observed,
    lab: lab.driver,
    kernel: lab.kernel,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs * 10) / 10,
    assertions: assertionsMade() - assertionsBefore,
    frames: 0,
    evidence: [],
  };
  if (outcome.performed) {
    await collectEvidence({ lab, folder, record, suite: state, commandsFrom });
    const undone = await judged(() => lab.scopes.leave());
    if (undone.verdict !== 'passed') {
      stage().damage ??= undone.failure;
      if (record.verdict === 'passed') Object.assign(record, undone);
    }
  }
  delete (record as Partial<Outcome>).performed;
  records.push(record);
  folder.writeRecord(record);
  listener.testEnded(record);
  if (signal.aborted || (bail && (record.verdict === 'failed' || record.verdict === 'error'))) stop();
  return record;
}

interface Outcome extends Pick<TestRecord, 'verdict' | 'reason' | 'failure'> {
  /** Whether the body was begun. */
  performed: boolean;
}

/** What settles an experiment before it is begun: a failed set-up, a damaged lab, a missing feature. */
async function beforehand({ needs }: Omit<Experiment, 'test'>, state: SuiteState): Promise<Outcome | undefined> {
  const { damage, lab } = stage();
  const checked = await judged(async () => {
    lab.checkAlive();
    const failure = failureOf(state) ?? damage;
    if (failure !== undefined) throw failure as Error;
    for (const feature of needs) {
      const why = await stage().missing(feature);
      if (why !== undefined) throw new Missing(why);
    }
  });
  return checked.verdict === 'passed' ? undefined : { ...checked, performed: false };
}

function failureOf(state: SuiteState | undefined): unknown {
  return state && (state.failure ?? failureOf(state.parent));
}

/** A feature that this lab does not have. */
class Missing extends Error {}

async function judged(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { verdict: 'passed', performed: true };
  } catch (error) {
    if (error instanceof Missing) return { verdict: 'skipped', reason: error.message, performed: true };
    const failure = failureRecord(error);
    const verdict = failure.code === 'ASSERTION' ? 'failed' : 'error';
    return { verdict, reason: failure.message, failure, performed: true };
  }
}

function asserted0(id: string): Outcome {
  const error = new MacvlabError('NO_EVIDENCE' satisfies ErrorCode, `${id} ended without having asserted anything`, {
    next: 'let the experiment state its outcome with expect()',
  });
  return { verdict: 'error', reason: error.message, failure: failureRecord(error), performed: true };
}

/** Any thrown value as a record keeps it: a failed assertion is told from an error of ours. */
export function failureRecord(error: unknown): Failure {
  if (error instanceof MacvlabError) {
    return {
      code: error.code,
      message: error.message,
      next: error.next,
      ...(error.evidence ? { details: error.evidence } : {}),
    };
  }
  const [message = '', ...rest] = messageOf(error).split('\n');
  if (error instanceof Error && error.name === 'AssertionError') {
    return {
      code: 'ASSERTION',
      message,
      next: 'look at frames.txt and the pcaps in the evidence; repro.sh repeats the steps without macvlab',
      ...(rest.length > 0 ? { details: rest.join('\n') } : {}),
    };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return {
    code: 'INTERNAL',
    message,
    details: stack ?? String(error),
    next: 'this is a bug of macvlab or of the suite: report it with this stack',
  };
}
