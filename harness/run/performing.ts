/** The performing part of a run: labs are opened where there is work for them, and each suite file is performed in one. */
import { MacvlabError, messageOf } from '../core/error.js';
import { unless } from '../core/wait.js';
import type { LabDriver } from '../lab/driver.js';
import { featuresOfLinks } from '../lab/features.js';
import { Lab } from '../lab/lab.js';
import type { SuiteFile } from './catalogue.js';
import { FeatureProbing } from './feature-probing.js';
import type { Performance } from './perform.js';
import type { RunPlan } from './plan.js';
import type { Experiment } from './registry.js';
import { onStage, type RunContext, Stage } from './stage.js';
import { toolVersions } from './tool-versions.js';
import type { Venue } from './venue.js';

export interface PerformingOptions {
  plan: RunPlan;
  context: RunContext;
  results: Performance;
  runners: Set<Mocha.Runner>;
  /** Those that were chosen. */
  experiments: readonly Experiment[];
}

export class Performing {
  /** The first thing that kept a lab from being built or ended, and with it experiments from being performed. */
  failure: unknown;
  readonly #options: PerformingOptions;
  readonly #probing: FeatureProbing;
  #labs = 0;
  #begun = false;
  #hasWaited = false;

  constructor(options: PerformingOptions) {
    this.#options = options;
    this.#probing = new FeatureProbing(options.plan, options.results.run);
  }

  /**
   * Performs what waits at a venue, and hands what its labs cannot carry to the next: before anything of it is begun, so that
   * the next can open its own labs beside.
   */
  async at(venue: Venue, next: Venue | undefined): Promise<void> {
    try {
      if (!(await venue.hasWork())) return;
      if (venue.ready) await this.#untilSetUp(venue.ready);
      if (this.#options.plan.signal.aborted) return;
      venue.unhelped = next && (await whyUnusable(next));
      const usable = venue.unhelped === undefined ? next : undefined;
      const scout = this.#open(venue);
      const handed = scout.then(
        (stage) => this.#handOn(stage, venue, usable),
        (error: unknown) => this.#handAllOn(error, venue, usable),
      );
      const others = Array.from({ length: Math.min(venue.jobs, venue.waiting) - 1 }, () => this.#open(venue));
      const stages = await Promise.allSettled(
        [scout, ...others].map((opening) => this.#perform(opening, handed, venue)),
      );
      // One lab that fails ends no other: what is performed there is told, and its lab is ended.
      for (const outcome of stages) if (outcome.status === 'rejected') this.failure ??= outcome.reason;
    } finally {
      next?.complete();
    }
  }

  /** Waits for the set-up that is at work beside; an interrupted run does not. */
  async #untilSetUp(ready: Promise<void>): Promise<void> {
    const { signal, listener } = this.#options.plan;
    if (!this.#hasWaited) listener.remark('the other experiments wait for the set-up, which is still at work');
    this.#hasWaited = true;
    await unless(signal, ready).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Opens a lab of a venue; one that does not survive the probing of features is replaced. */
  async #open(venue: Venue): Promise<Stage> {
    const stage = await this.#openLab(venue);
    const wrong = await this.#probing.at(stage);
    this.failure ??= wrong;
    if (!stage.isUnfit) return stage;
    this.#writeConsoles(stage);
    await stage.lab.close();
    return this.#openLab(venue);
  }

  /** Opens a lab of a venue, and listens in it. */
  async #openLab(venue: Venue): Promise<Stage> {
    const { context, results } = this.#options;
    context.signal.throwIfAborted();
    const lab = await Lab.open(venue.driver);
    const stage = new Stage(lab, context, () => venue.unhelped);
    try {
      const { premises } = lab.machines;
      if (premises) results.run.macRange = `${premises.macRange}:*:*`;
      if (premises?.hosts) results.run.hosts = { ...premises.hosts };
      this.#labs += 1;
      stage.number = this.#labs;
      await Promise.all([this.#begin(lab), lab.listen()]);
      lab.endWiring();
      return stage;
    } catch (error) {
      await lab.close();
      throw error;
    } finally {
      results.run.kernel = [...new Set([...results.run.kernel.split(', ').filter(Boolean), lab.kernel])].join(', ');
    }
  }

  /** Tells the listener that the run begins, when its first lab stands. */
  async #begin(lab: Lab): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const { plan, results, experiments } = this.#options;
    const tools = toolVersions(lab.machines.machine);
    plan.listener.begin({ ...results.run, kernel: lab.kernel }, experiments.length);
    results.run.tools = await tools;
  }

  /**
   * Gives the next venue the files with experiments that need what this lab does not have; unless its labs cannot be prepared:
   * without a network, there may be no kernel for them.
   */
  async #handOn(stage: Stage, venue: Venue, next: Venue | undefined): Promise<void> {
    if (!next) return;
    const others: SuiteFile[] = [];
    // One after the other: what is tried in a lab is undone before the next is.
    for (const file of venue.takeAll()) {
      if (await this.#canCarry(stage, file)) venue.add([file]);
      else others.push(file);
    }
    if (others.length > 0) venue.unhelped = await this.#whyUnprepared(next);
    (venue.unhelped === undefined ? next : venue).add(others);
    next.complete();
  }

  /** What keeps a venue's labs from being prepared, said once; undefined when they are. */
  async #whyUnprepared({ driver }: Venue): Promise<string | undefined> {
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

  /** Gives the next venue everything, because this one has no labs. @throws the error when there is no next */
  async #handAllOn(error: unknown, venue: Venue, next: Venue | undefined): Promise<void> {
    this.#options.context.signal.throwIfAborted();
    if (!next) throw error;
    this.#options.plan.listener.remark(
      `there is no ${venue.driver.name} lab: ${messageOf(error)}; all is performed in a ${next.driver.name} lab`,
    );
    next.add(venue.takeAll());
    next.complete();
    return Promise.resolve();
  }

  async #canCarry(stage: Stage, { file }: SuiteFile): Promise<boolean> {
    const own = this.#options.experiments.filter((experiment) => experiment.file === file);
    for (const feature of new Set(own.flatMap(({ needs }) => needs)))
      if (!featuresOfLinks.has(feature) && (await stage.missing(feature)) !== undefined) return false;
    return true;
  }

  /** Performs files in a lab for as long as there are some; a lab that is no longer fit for it is replaced. */
  async #perform(opening: Promise<Stage>, handed: Promise<void>, venue: Venue): Promise<void> {
    await Promise.allSettled([opening, handed]);
    let stage = await opening.catch(async (error: unknown) => {
      await handed;
      // All was handed on: it is for the next venue to fail.
      if (venue.waiting > 0) throw error;
      return undefined;
    });
    try {
      await handed;
      for (let act = stage && venue.next(); stage && act; act = venue.next()) {
        if (stage.isUnfit) {
          const unfit = stage;
          stage = undefined;
          try {
            await this.#end(unfit);
            stage = await this.#open(venue);
          } catch (error) {
            // Another lab of the venue can perform it.
            venue.add([act]);
            throw error;
          }
        }
        // Should that fail, the lab is gone, which every experiment of the file will say.
        await stage.lab.machines.setClocks?.().catch(() => undefined);
        await this.#performAct(act, stage);
      }
    } finally {
      if (stage) await this.#end(stage);
    }
  }

  async #performAct({ mocha }: SuiteFile, stage: Stage): Promise<void> {
    const { runners } = this.#options;
    await new Promise<void>((resolve) => {
      onStage(stage, () => {
        const runner = mocha.run(() => {
          runners.delete(runner);
          // It has listeners on the process, which would add up.
          runner.dispose();
          resolve();
        });
        // On an exception, mocha would begin the next test in the lab of one that still runs; the run itself hears of it (perform.ts).
        process.off('uncaughtException', (runner as unknown as { uncaught: (error: unknown) => void }).uncaught);
        // A hook of ours keeps what goes wrong for the experiments; one of mocha's own would fail behind their backs.
        runner.on('fail', ({ type }: { type?: string }, error: unknown) => {
          if (type === 'hook') this.failure ??= error;
        });
        runners.add(runner);
      });
    });
  }

  #writeConsoles({ lab, number }: Stage): void {
    for (const [machine, text] of lab.machines.kernelLog?.text() ?? [])
      this.#options.context.folder.writeConsole(number, machine, text);
  }

  async #end(stage: Stage): Promise<void> {
    const { lab, disappointed, judgedComplaints } = stage;
    const { plan, results } = this.#options;
    // Should that fail, the lab is gone, with what its kernel had still to say.
    await lab.machines.kernelLog?.settle().catch(() => undefined);
    const [unheard] = lab.machines.kernelLog?.since(judgedComplaints) ?? [];
    if (unheard) this.failure ??= complaintBehindTests(unheard);
    this.#writeConsoles(stage);
    if (plan.keep === 'always' || (plan.keep === 'on-failure' && disappointed)) {
      results.kept.push({ driver: lab.driver, ...(await lab.keep()), kernel: lab.kernel });
    } else {
      await lab.close().finally(() => this.#writeSnapshots(stage));
    }
  }

  #writeSnapshots({ lab, number }: Stage): void {
    for (const [name, text] of lab.machines.snapshots ?? [])
      this.#options.context.folder.writeSnapshot(number, name, text);
  }
}

/** What a kernel has said when no test was left to be judged by it. */
function complaintBehindTests({ machine, line, kind }: { machine: string; line: string; kind: string }): MacvlabError {
  const what = `the kernel of ${machine} complained when the last suite was undone: ${line}`;
  return new MacvlabError(kind === 'defect' ? 'KERNEL_DEFECT' : 'KERNEL_STALL', what, {
    next: 'look at the consoles in the run’s folder',
  });
}

/** What keeps a venue from being used on this machine, with the first thing to do about it. */
async function whyUnusable({ driver }: Venue): Promise<string | undefined> {
  const missing = (await driver.check()).filter(({ found }) => !found);
  const [first] = missing;
  if (!first) return undefined;
  const names = missing.map(({ what }) => what).join(', ');
  return couldBeCarried(driver, `${names} is missing: ${first.next ?? 'run `macvlab doctor`'}`);
}

function couldBeCarried({ name }: LabDriver, why: string): string {
  return `a ${name} lab could carry it, but ${why}`;
}
