/** Runs the suites of a run: opens labs while there is work for them, and runs each suite file in one lab. */
import { MacvlabError, messageOf } from '../core/error.js';
import { unless } from '../core/wait.js';
import type { NewDetached } from '../machine/detached/detached-labs.js';
import type { LabDriver } from '../machine/driver.js';
import { featuresOfLinks } from '../lab/feature/features.js';
import { Lab } from '../lab/lab.js';
import type { SuiteFile } from './suite/catalogue.js';
import { mochaOf } from './mocha-tree.js';
import { FeatureProbing } from './feature-probing.js';
import type { RunPlan } from './plan.js';
import type { Experiment } from './suite/experiment-spec.js';
import { LabSlot } from './lab-slot.js';
import { type RunContext } from './suite-state.js';
import { toolVersions } from './tool-versions.js';
import type { Backend } from './backend.js';
import type { RunResults } from './record.js';

export interface SuiteRunnerOptions {
  plan: RunPlan;
  context: RunContext;
  results: FinishedRun;
  runners: Set<Mocha.Runner>;
  /** The chosen experiments. */
  experiments: readonly Experiment[];
}

export class SuiteRunner {
  /** The first error that prevented a lab from opening or closing, and so experiments from running. */
  failure: unknown;
  readonly #options: SuiteRunnerOptions;
  readonly #probing: FeatureProbing;
  #labs = 0;
  #begun = false;
  #hasWaited = false;

  constructor(options: SuiteRunnerOptions) {
    this.#options = options;
    this.#probing = new FeatureProbing(options.plan, options.results.run);
  }

  /**
   * Runs the waiting files of a backend, and gives the next backend those that its labs cannot carry. It does so before
   * it begins any file, so that the next backend can open its labs at the same time.
   */
  async at(backend: Backend, next: Backend | undefined): Promise<void> {
    try {
      if (!(await backend.hasWork())) return;
      if (backend.ready) await this.#untilSetUp(backend.ready);
      if (this.#options.plan.signal.aborted) return;
      backend.noFallbackReason = next && (await whyUnusable(next));
      const usable = backend.noFallbackReason === undefined ? next : undefined;
      const scout = this.#open(backend);
      const handed = scout.then(
        (slot) => this.#handOn(slot, backend, usable),
        (error: unknown) => this.#handAllOn(error, backend, usable),
      );
      const others = Array.from({ length: Math.min(backend.jobs, backend.waiting) - 1 }, () => this.#open(backend));
      const slots = await Promise.allSettled(
        [scout, ...others].map((opening) => this.#runFiles(opening, handed, backend)),
      );
      // A lab that fails does not end the others. Their experiments are reported, and their labs are closed.
      for (const outcome of slots) if (outcome.status === 'rejected') this.failure ??= outcome.reason;
    } finally {
      next?.complete();
    }
  }

  /** Waits for the set-up that is still running; an interrupted run does not wait. */
  async #untilSetUp(ready: Promise<void>): Promise<void> {
    const { signal, listener } = this.#options.plan;
    if (!this.#hasWaited) listener.remark('the other experiments wait for the set-up, which is still at work');
    this.#hasWaited = true;
    await unless(signal, ready).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Opens a lab of a backend. A lab that does not survive the probing of features is replaced. */
  async #open(backend: Backend): Promise<LabSlot> {
    const slot = await this.#openLab(backend);
    const wrong = await this.#probing.at(slot);
    this.failure ??= wrong;
    if (!slot.isUnfit) return slot;
    this.#writeConsoles(slot);
    await slot.lab.close();
    return this.#openLab(backend);
  }

  /** Opens a lab of a backend, and starts its captures. */
  async #openLab(backend: Backend): Promise<LabSlot> {
    const { context, results } = this.#options;
    context.signal.throwIfAborted();
    const lab = await Lab.open(backend.driver);
    const slot = new LabSlot(lab, context, () => backend.noFallbackReason);
    try {
      const { external } = lab.machines;
      if (external) results.run.macRange = `${external.macRange}:*:*`;
      if (external?.hosts) results.run.hosts = { ...external.hosts };
      this.#labs += 1;
      slot.number = this.#labs;
      this.#options.plan.captureTo?.watch(lab, slot.number);
      await Promise.all([this.#begin(lab), lab.listening.start()]);
      lab.endWiring();
      return slot;
    } catch (error) {
      await lab.close();
      throw error;
    } finally {
      results.run.kernel = [...new Set([...results.run.kernel.split(', ').filter(Boolean), lab.kernel])].join(', ');
    }
  }

  /** Calls the listener's `begin` when the first lab is open. */
  async #begin(lab: Lab): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const { plan, results, experiments } = this.#options;
    const tools = toolVersions(lab.machines.machine);
    plan.listener.begin({ ...results.run, kernel: lab.kernel }, experiments.length);
    results.run.tools = await tools;
  }

  /**
   * Gives the next backend the files with experiments that need a feature that this lab lacks. If the next backend's
   * labs cannot be prepared, the files stay here: without a network, there may be no kernel for them.
   */
  async #handOn(slot: LabSlot, backend: Backend, next: Backend | undefined): Promise<void> {
    if (!next) return;
    const others: SuiteFile[] = [];
    // One after the other, because each trial in a lab is reverted before the next.
    for (const file of backend.takeAll()) {
      if (await this.#canCarry(slot, file)) backend.add([file]);
      else others.push(file);
    }
    if (others.length > 0) backend.noFallbackReason = await this.#whyUnprepared(next);
    (backend.noFallbackReason === undefined ? next : backend).add(others);
    next.complete();
  }

  /** Why a backend's labs cannot be prepared, reported once; undefined if they can. */
  async #whyUnprepared({ driver }: Backend): Promise<string | undefined> {
    const { context, plan } = this.#options;
    try {
      await driver.prepare?.();
      return undefined;
    } catch (error) {
      const why = error instanceof MacvlabError ? `${error.message}: ${error.next}` : messageOf(error);
      plan.listener.remark(`there is no ${driver.name} lab: ${why}`);
      return couldBeCarried(driver, why);
    } finally {
      context.signal.throwIfAborted();
    }
  }

  /** Gives the next backend all files, because this one has no labs. @throws the error if there is no next backend */
  async #handAllOn(error: unknown, backend: Backend, next: Backend | undefined): Promise<void> {
    this.#options.context.signal.throwIfAborted();
    if (!next) throw error;
    this.#options.plan.listener.remark(
      `there is no ${backend.driver.name} lab: ${messageOf(error)}; all is performed in a ${next.driver.name} lab`,
    );
    next.add(backend.takeAll());
    next.complete();
    return Promise.resolve();
  }

  async #canCarry(slot: LabSlot, { experiments }: SuiteFile): Promise<boolean> {
    for (const feature of new Set(experiments.flatMap(({ needs }) => needs)))
      if (!featuresOfLinks.has(feature) && (await slot.missing(feature)) !== undefined) return false;
    return true;
  }

  /** Runs files in a lab as long as there are files. A lab that becomes unfit is replaced. */
  async #runFiles(opening: Promise<LabSlot>, handed: Promise<void>, backend: Backend): Promise<void> {
    await Promise.allSettled([opening, handed]);
    let slot = await opening.catch(async (error: unknown) => {
      await handed;
      // If all files went to the next backend, that backend reports the failure.
      if (backend.waiting > 0) throw error;
      return undefined;
    });
    try {
      await handed;
      for (let file = slot && backend.next(); slot && file; file = backend.next()) {
        if (slot.isUnfit) {
          const unfit = slot;
          slot = undefined;
          try {
            await this.#end(unfit);
            slot = await this.#open(backend);
          } catch (error) {
            // Another lab of the backend can run it.
            backend.add([file]);
            throw error;
          }
        }
        await this.#runFile(file, slot);
      }
    } finally {
      if (slot) await this.#end(slot);
    }
  }

  async #runFile(file: SuiteFile, slot: LabSlot): Promise<void> {
    const { runners } = this.#options;
    const mocha = mochaOf(file, slot);
    await new Promise<void>((resolve) => {
      const runner = mocha.run(() => {
        runners.delete(runner);
        // Its listeners on the process would accumulate.
        runner.dispose();
        resolve();
      });
      // After an exception, mocha would begin the next test in a lab whose test still runs. The run handles the
      // exception itself (run-suites.ts).
      process.off('uncaughtException', (runner as unknown as { uncaught: (error: unknown) => void }).uncaught);
      // Hooks store errors for the experiments to report (lab-slot.ts). A hook that throws is a bug.
      runner.on('fail', ({ type }: { type?: string }, error: unknown) => {
        if (type === 'hook') this.failure ??= error;
      });
      runners.add(runner);
    });
  }

  #writeConsoles({ lab, number }: LabSlot): void {
    for (const [machine, text] of lab.machines.kernelLog.text())
      this.#options.context.folder.writeConsole(number, machine, text);
  }

  async #end(slot: LabSlot): Promise<void> {
    const { lab, hasFailures, judgedSplats } = slot;
    const { plan, results } = this.#options;
    // If this fails, the lab is gone, with the last output of its kernel.
    await lab.machines.kernelLog.settle().catch(() => undefined);
    const [unheard] = lab.machines.kernelLog.since(judgedSplats);
    if (unheard) this.failure ??= splatAfterTests(unheard);
    this.#writeConsoles(slot);
    if (plan.keep === 'always' || (plan.keep === 'on-failure' && hasFailures)) {
      results.kept.push(await lab.detach());
    } else {
      await lab.close().finally(() => this.#writeSnapshots(slot));
    }
  }

  #writeSnapshots({ lab, number }: LabSlot): void {
    for (const [name, text] of lab.machines.external ? lab.machines.snapshots : [])
      this.#options.context.folder.writeSnapshot(number, name, text);
  }
}

/** The error for kernel output after the last test, when no test is left to report it. */
function splatAfterTests({ machine, line, kind }: { machine: string; line: string; kind: string }): MacvlabError {
  const what = `the kernel of ${machine} complained when the last suite was undone: ${line}`;
  return new MacvlabError(kind === 'defect' ? 'KERNEL_DEFECT' : 'KERNEL_STALL', what, {
    next: 'look at the consoles in the run’s folder',
  });
}

/** Why a backend cannot be used on this machine, with the first step to fix it. */
async function whyUnusable({ driver }: Backend): Promise<string | undefined> {
  const missing = (await driver.check()).filter(({ found }) => !found);
  const [first] = missing;
  if (!first) return undefined;
  const names = missing.map(({ what }) => what).join(', ');
  return couldBeCarried(driver, `${names} is missing: ${first.next ?? 'run `macvlab doctor`'}`);
}

function couldBeCarried({ name }: LabDriver, why: string): string {
  return `a ${name} lab could carry it, but ${why}`;
}
export interface FinishedRun extends RunResults {
  kept: NewDetached[];
}
