/** Runs mutation tests: each fault runs in a separate process, side by side with others, and is judged. */
import { type Finding, judge, notApplicable } from './judge.js';
import type { Fault } from './fault.js';
import { runWithFault, type FaultRun } from './faulty-run.js';
import type { MutationJob } from './setting.js';

export interface MutationPlan {
  faults: readonly Fault[];
  /** URL of the module that exports the faults. */
  module: string;
  lab: MutationJob['lab'];
  /** Folder in which each run creates its own folder. */
  out: string;
  /** How many labs run side by side. */
  jobs: number;
  /** Ends the current runs, which then have no finding. */
  signal: AbortSignal;
  /** Called with each finding, as soon as it is determined. */
  found(finding: Finding): void;
}

/**
 * Runs mutation tests.
 * @returns the findings, in the order of the faults
 * @throws the signal's reason, when all processes have ended
 */
export async function runMutationTests(plan: MutationPlan): Promise<Finding[]> {
  const { faults, module, lab, out, jobs, signal } = plan;
  const findings = new Map<Fault, Finding>();
  const found = (fault: Fault, finding: Finding) => {
    findings.set(fault, finding);
    plan.found(finding);
  };
  const lacking = (fault: Fault) => (lab === 'vm' ? notInGuests(fault) : undefined);
  const applicable = faults.filter((fault) => lacking(fault) === undefined);
  for (const fault of faults) {
    const program = lacking(fault);
    if (program !== undefined) found(fault, notApplicable(fault, `guests have no ${program}`));
  }
  const controls = [...new Set(applicable.map(({ timeoutFactor }) => timeoutFactor))].map(
    (timeoutFactor) => new Control(applicable, timeoutFactor),
  );
  const judged: Promise<void>[] = [];
  const waiting = [
    ...controls.map((control) => async () => {
      const { injections, experiments, timeoutFactor } = control;
      const performed = await runWithFault(
        { injections, timeoutFactor },
        { module, id: experiments, lab, out },
        signal,
      );
      signal.throwIfAborted();
      control.end(performed);
    }),
    ...applicable.map((fault) => async () => {
      const began = performance.now();
      const performed = await runWithFault(fault, { module, id: fault.id, lab, out }, signal);
      const duration = performance.now() - began;
      // A lab ends with its process.
      signal.throwIfAborted();
      const control = controls.find(({ timeoutFactor }) => timeoutFactor === fault.timeoutFactor);
      judged.push(
        (control?.performed ?? Promise.reject(new Error('no control'))).then((without) =>
          found(fault, judge(fault, performed, without, duration)),
        ),
      );
    }),
  ];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  const ended = await Promise.allSettled(Array.from({ length: jobs }, work));
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason as Error;
  await Promise.all(judged);
  return faults.flatMap((fault) => findings.get(fault) ?? []);
}

/** The experiments of all faults with the same deadlines, in a lab without a fault. An experiment that is red there proves nothing. */
class Control {
  readonly injections = [];
  readonly experiments: readonly string[];
  readonly performed: Promise<FaultRun>;
  readonly timeoutFactor: number | undefined;
  end: (performed: FaultRun) => void = () => undefined;

  constructor(faults: readonly Fault[], timeoutFactor: number | undefined) {
    this.timeoutFactor = timeoutFactor;
    const filters = faults.filter((each) => each.timeoutFactor === timeoutFactor).map(({ experiments }) => experiments);
    // An empty filter list means all experiments.
    this.experiments = filters.some(({ length }) => length === 0) ? [] : [...new Set(filters.flat())];
    this.performed = new Promise((resolve) => (this.end = resolve));
  }
}

/** A program that an injection needs and that guests do not have (harness/image/root-recipe.ts). */
function notInGuests({ injections }: Fault): string | undefined {
  const scripts = injections.flatMap((injection) => ('script' in injection ? [injection.script] : []));
  return ['nft', 'perl'].find((program) => scripts.some((script) => script.includes(`${program} -`)));
}
