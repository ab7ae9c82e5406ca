/** Probes features as a part of a run: once, in the first opened lab, before any experiment runs there. */
import { MacvlabError, messageOf } from '../core/error.js';
import { probeFeatures } from '../lab/feature/feature-probe.js';
import type { RunPlan } from './plan.js';
import type { FeatureRecord, FeatureState, RunRecord } from './record.js';
import type { LabSlot } from './lab-slot.js';

export class FeatureProbing {
  readonly #plan: RunPlan;
  readonly #run: RunRecord;
  #begun = false;

  /** @param run receives the `features` */
  constructor(plan: RunPlan, run: RunRecord) {
    this.#plan = plan;
    this.#run = run;
  }

  /**
   * Probes the kernel of a slot's lab, unless probing is not requested or already done, or the run is ending. It marks
   * a lab that does not survive as damaged, so that no experiment is affected. The kernel's splats do not count for an
   * experiment either.
   * @returns the problem with the lab or its kernel, for the run's report
   */
  async at(slot: LabSlot): Promise<MacvlabError | undefined> {
    if (!this.#plan.probeFeatures || this.#begun || this.#plan.signal.aborted) return undefined;
    this.#begun = true;
    const { lab } = slot;
    try {
      const features = await probeFeatures(lab);
      this.#run.features = features;
      this.#plan.listener.remark(summaryOf(lab.kernel, features));
    } catch (error) {
      const failure = whileProbing(lab.death.aborted ? lab.death.reason : error);
      slot.unusable ??= failure;
      return failure;
    }
    const [splat] = lab.machines.kernelLog.since(slot.judgedSplats);
    slot.judgedSplats = lab.machines.kernelLog.mark();
    if (!splat) return undefined;
    const { machine, line, kind } = splat;
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
