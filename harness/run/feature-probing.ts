/** Probing features as a part of a run: once, in the first lab that stands, before any experiment is performed there. */
import { MacvlabError, messageOf } from '../core/error.js';
import { probeFeatures } from '../lab/feature-probe.js';
import type { RunPlan } from './plan.js';
import type { FeatureRecord, FeatureState, RunRecord } from './record.js';
import type { Stage } from './stage.js';

export class FeatureProbing {
  readonly #plan: RunPlan;
  readonly #run: RunRecord;
  #begun = false;

  /** @param run whose `features` are filled in */
  constructor(plan: RunPlan, run: RunRecord) {
    this.#plan = plan;
    this.#run = run;
  }

  /**
   * Probes the kernel of a stage's lab, unless that is not asked for, has been done, or the run is ending. A lab that does
   * not survive it is marked as damaged, so that no experiment pays for it; what the kernel complains of is no experiment's
   * either.
   * @returns what is wrong with the lab or its kernel, for the run to tell
   */
  async at(stage: Stage): Promise<MacvlabError | undefined> {
    if (!this.#plan.probeFeatures || this.#begun || this.#plan.signal.aborted) return undefined;
    this.#begun = true;
    const { lab } = stage;
    try {
      const features = await probeFeatures(lab);
      this.#run.features = features;
      this.#plan.listener.remark(summaryOf(lab.kernel, features));
    } catch (error) {
      const failure = whileProbing(lab.death.aborted ? lab.death.reason : error);
      stage.damage ??= failure;
      return failure;
    }
    const [complaint] = lab.machines.kernelLog?.since(stage.judgedComplaints) ?? [];
    stage.judgedComplaints = lab.machines.kernelLog?.mark() ?? 0;
    if (!complaint) return undefined;
    const { machine, line, kind } = complaint;
    return new MacvlabError(
      kind === 'defect' ? 'KERNEL_DEFECT' : 'KERNEL_STALL',
      `the kernel of ${machine} complained while features were probed: ${line}`,
      { next: 'look at the consoles in the run’s folder' },
    );
  }
}

function whileProbing(error: unknown): MacvlabError {
  const known = error instanceof MacvlabError ? error : undefined;
  return new MacvlabError(known?.code ?? 'LAB_DAMAGED', `while features were probed: ${messageOf(error)}`, {
    evidence: known?.evidence,
    next: known?.next ?? 'look at the consoles in the run’s folder; without --probe-features, it does not happen',
    cause: error,
  });
}

const states: readonly FeatureState[] = ['supported', 'refused', 'ignored', 'unknown'];

/** "features of 6.12.94: 60 supported, 12 refused, 3 ignored (see run.json)" */
function summaryOf(kernel: string, features: readonly FeatureRecord[]): string {
  const counts = states
    .map((state) => ({ state, count: features.filter((feature) => feature.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`);
  return `features of ${kernel}: ${counts.join(', ')} (see run.json)`;
}
