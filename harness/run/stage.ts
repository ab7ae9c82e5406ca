/** A stage of a run: a lab, the run's folder, and the suites that are performed there. Several can be used side by side. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Scope } from '../core/scope.js';
import { within } from '../core/wait.js';
import { countAssertions, newAssertionCounter, settleAssertions } from '../expect/counting.js';
import { type Feature, whyNot } from '../lab/features.js';
import type { AddressPlan, Lab } from '../lab/lab.js';
import type { MacvlanMode } from '../link/macvlan.js';
import { damaged } from './damage.js';
import { performExperiment } from './perform-experiment.js';
import type { Keep, RunListener, RunPlan } from './plan.js';
import type { TestRecord } from './record.js';
import type { Experiment } from './registry.js';
import type { RunFolder } from './run-folder.js';
import { suitesAround } from './suites-around.js';

/** A suite while it is performed. */
export interface SuiteState {
  /** Title of the outermost suite. */
  title: string;
  parent: SuiteState | undefined;
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
  /** Where what it makes is undone. */
  scope?: Scope;
  /** Why its set-up failed. */
  failure?: unknown;
  /** The experiment that told it, with the evidence. */
  failureReportedBy?: string;
  /** Where the commands of its set-up begin and end in the lab's log. */
  commandsFrom?: number;
  commandsTo?: number;
}

/** What all stages of a run share. */
export interface RunContext {
  folder: RunFolder;
  signal: AbortSignal;
  /** Aborts with an exception that nothing has caught: whatever is under way then proves nothing. */
  uncaught: AbortSignal;
  listener: RunListener;
  bail: boolean;
  /** Never, without it. */
  keep?: Keep;
  /** Position of each selected test in the run, from 1. */
  numbers: ReadonlyMap<Mocha.Test, number>;
  /** Completed as the run goes on. */
  records: TestRecord[];
  performed: RunPlan['performed'];
  /** Called when no further experiment should begin, on any stage. @param after the experiment after which the run was asked to end */
  stop(after?: string): void;
}

/** Records a value that the kernel showed. */
export type Observe = (name: string, value: TestRecord['observed'][string]) => void;

/** What an experiment records beside its verdict. */
export interface Notes {
  /** How the kernel behaves: the same each time, and so worth comparing between kernels. */
  observe: Observe;
  /** What nobody compares: it was measured, or left to chance, or is our own explanation. */
  measure: Observe;
}

export class Stage {
  readonly lab: Lab;
  readonly run: RunContext;
  /** What has made the lab unusable for all that follows. */
  damage: unknown;
  /**
   * How many complaints of the lab's own kernels have been judged: those from before the lab stood, and those of tests. What comes
   * between two tests, when a suite is undone or set up, is the next one's.
   */
  judgedComplaints: number;
  /** Position of its lab among those of the run, from 1. */
  number = 1;
  /** Whether a test on it has failed or erred. */
  disappointed = false;
  /** Whether its lab stays as the first test that did not pass has left it: nothing more is undone or done there. */
  isPreserved = false;
  readonly #elsewhere: () => string | undefined;
  readonly #missing = new Map<Feature, Promise<string | undefined>>();

  /** @param elsewhere says what would perform what this lab cannot, and why it does not */
  constructor(lab: Lab, run: RunContext, elsewhere: () => string | undefined = () => undefined) {
    this.lab = lab;
    this.run = run;
    this.#elsewhere = elsewhere;
    this.judgedComplaints = lab.machines.kernelLog?.mark() ?? 0;
  }

  /** Whether nothing more should be performed in its lab: a part of it is gone, or cannot be undone. */
  get isUnfit(): boolean {
    return this.damage !== undefined || this.lab.death.aborted;
  }

  /** Aborts when what is under way in its lab need not be awaited: an interrupted run, a lab that is gone, an uncaught exception. */
  get givenUp(): AbortSignal {
    return AbortSignal.any([this.run.signal, this.run.uncaught, this.lab.death]);
  }

  /** What would perform what this lab cannot, and why it does not; undefined where nothing would. */
  get elsewhere(): string | undefined {
    return this.#elsewhere();
  }

  /**
   * Does a part of a suite, up to its deadline, the end of the lab or of the run. What does not end may still be changing the lab.
   * @param what as it stands in an error: "A1.3"
   * @throws MacvlabError WAIT_DEADLINE; what has ended the lab or the run; what the work throws
   */
  async bounded(what: string, work: () => Promise<void>): Promise<void> {
    let ends = 0;
    const whole = work().finally(() => ends++);
    try {
      await within(whole, { what: `${what} to end`, deadline: this.lab.patience(deadline), signal: this.givenUp });
    } finally {
      if (ends === 0) this.damage ??= damaged(`${what} did not end, and may still be changing the lab`);
    }
  }

  /** Begins a suite: its scope, and its addresses. */
  async enterSuite(state: SuiteState, title: string, addresses: AddressPlan): Promise<void> {
    state.commandsFrom = this.lab.log.mark();
    state.scope = this.lab.scopes.enter(title);
    await this.attempt(state, () => this.lab.configure(addresses));
  }

  /** Does a part of a suite's set-up; a failure is kept for its experiments to report. */
  async attempt(state: SuiteState, work: () => Promise<void>): Promise<void> {
    const idle = failureOf(state) !== undefined || this.damage !== undefined || this.isPreserved;
    if (idle || this.givenUp.aborted) return;
    const what = `the set-up of “${state.title}”`;
    try {
      await this.bounded(what, async () => {
        // Its experiments are skipped, and say why; what cannot be set up is no failure then.
        for (const feature of state.needs) if ((await this.missing(feature)) !== undefined) return;
        const counter = newAssertionCounter();
        await countAssertions(counter, work);
        await settleAssertions(counter, what);
      });
    } catch (error) {
      state.failure = error;
    }
    state.commandsTo = this.lab.log.mark();
  }

  /** Ends a suite, and undoes what it made. What cannot be undone makes the lab unusable for what follows. */
  async leaveSuite(state: SuiteState): Promise<void> {
    if (this.isPreserved) return;
    try {
      await this.lab.scopes.leave(state.scope);
    } catch (error) {
      this.damage ??= error;
      state.failure ??= error;
    }
  }

  /** Performs one experiment; see {@link performExperiment}. */
  async perform(experiment: Experiment, suite: SuiteState, body: (notes: Notes) => Promise<void>): Promise<TestRecord> {
    const failed = suitesAround(suite).findLast(({ failure }) => failure !== undefined);
    return performExperiment({ stage: this, experiment, suite, failed, blocked: failed?.failure ?? this.damage, body });
  }

  /** Why a feature is missing in this lab; tried once. */
  async missing(feature: Feature): Promise<string | undefined> {
    const known = this.#missing.get(feature) ?? whyNot(this.lab, feature);
    this.#missing.set(feature, known);
    return known;
  }
}

/** Milliseconds that a test, or a set-up, may take; a deadline for what hangs, far beyond what any of them needs. */
const deadline = 120_000;

function failureOf(state: SuiteState | undefined): unknown {
  return state && (state.failure ?? failureOf(state.parent));
}

const current = new AsyncLocalStorage<Stage>();

/** The stage that this part of the run is performed on. @throws Error outside a run */
export function stage(): Stage {
  const here = current.getStore();
  if (!here) throw new Error('suites are performed by `macvlab run`, which builds their lab');
  return here;
}

/** Does work on a stage: whatever it awaits finds this stage. */
export function onStage<T>(here: Stage, work: () => T): T {
  return current.run(here, work);
}
