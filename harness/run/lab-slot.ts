/** A slot of a run: a lab, the run's folder, and the suites that run there. Several slots can run side by side. */
import { within } from '../core/wait.js';
import { countAssertions, newAssertionCounter, settleAssertions } from '../expect/counting.js';
import { type Feature, whyNot } from '../lab/feature/features.js';
import type { AddressPlan, Lab } from '../lab/lab.js';
import { unusableLab } from './unusable.js';
import type { RunContext, SuiteState } from './suite-state.js';

export class LabSlot {
  readonly lab: Lab;
  readonly run: RunContext;
  /** The error that made the lab unusable for all following experiments. */
  unusable: unknown;
  /**
   * How many splats of the lab's own kernels have been judged: those from before the lab opened, and those of tests. A
   * splat between two tests, while a suite is reverted or set up, counts for the next test.
   */
  judgedSplats: number;
  /** Number of its lab in the run, from 1. */
  number = 1;
  /** Whether a test in its lab has failed or ended with an error. */
  hasFailures = false;
  /** Whether its lab stays in the state of the first test that did not pass. Then nothing more runs or is reverted there. */
  isPreserved = false;
  readonly #elsewhere: () => string | undefined;
  readonly #missing = new Map<Feature, Promise<string | undefined>>();

  /** @param elsewhere returns which lab could run what this lab cannot, and why it does not */
  constructor(lab: Lab, run: RunContext, elsewhere: () => string | undefined = () => undefined) {
    this.lab = lab;
    this.run = run;
    this.#elsewhere = elsewhere;
    this.judgedSplats = lab.machines.kernelLog.mark();
  }

  /** Whether nothing more may run in its lab: a part of it is gone, or cannot be reverted. */
  get isUnfit(): boolean {
    return this.unusable !== undefined || this.lab.death.aborted;
  }

  /** Aborts when work in the lab need not be awaited: an interrupted run, a lab that is gone, an uncaught exception. */
  get givenUp(): AbortSignal {
    return AbortSignal.any([this.run.signal, this.run.uncaught, this.lab.death]);
  }

  /** Which lab could run what this lab cannot, and why it does not; undefined if there is none. */
  get elsewhere(): string | undefined {
    return this.#elsewhere();
  }

  /**
   * Does a part of a suite. The limit is its deadline, the end of the lab, or the end of the run. Work that does not
   * end may still change the lab.
   * @param what the name in errors: "A1.3"
   * @throws MacvlabError WAIT_DEADLINE; the reason for the end of the lab or the run; the error of the work
   */
  async bounded(what: string, work: () => Promise<void>): Promise<void> {
    let ends = 0;
    const whole = work().finally(() => ends++);
    try {
      await within(whole, { what: `${what} to end`, deadline: this.lab.timeout(deadline), signal: this.givenUp });
    } finally {
      if (ends === 0) this.unusable ??= unusableLab(`${what} did not end, and may still be changing the lab`);
    }
  }

  /** Begins a suite: its scope, and its addresses. */
  async enterSuite(state: SuiteState, title: string, addresses: AddressPlan): Promise<void> {
    state.commandsFrom = this.lab.log.mark();
    state.scope = this.lab.scopes.enter(title);
    await this.attempt(state, async () => {
      await this.lab.machines.setClocks();
      await this.lab.configure(addresses);
    });
  }

  /** Does a part of a suite's set-up. Stores a failure, which the suite's experiments report. */
  async attempt(state: SuiteState, work: () => Promise<void>): Promise<void> {
    const idle = failureOf(state) !== undefined || this.unusable !== undefined || this.isPreserved;
    if (idle || this.givenUp.aborted) return;
    const what = `the set-up of “${state.title}”`;
    try {
      await this.bounded(what, async () => {
        // The experiments are skipped with this reason. A set-up that cannot run is then not a failure.
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

  /** Ends a suite, and reverts its changes. A change that cannot be reverted makes the lab unusable. */
  async leaveSuite(state: SuiteState): Promise<void> {
    if (this.isPreserved) return;
    try {
      await this.lab.scopes.leave(state.scope);
    } catch (error) {
      this.unusable ??= error;
      state.failure ??= error;
    }
  }

  /** Why a feature is missing in this lab. It is tried only once. */
  async missing(feature: Feature): Promise<string | undefined> {
    const known = this.#missing.get(feature) ?? whyNot(this.lab, feature);
    this.#missing.set(feature, known);
    return known;
  }
}

/** Milliseconds for a test, or a set-up. It is a deadline for work that hangs, far longer than any of them needs. */
const deadline = 120_000;

function failureOf(state: SuiteState | undefined): unknown {
  return state && (state.failure ?? failureOf(state.parent));
}
