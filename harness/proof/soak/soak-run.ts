/** One run of a soak, in a separate process that records its waits. */
import { messageOf } from '../../core/error.js';
import { runApart } from '../../run/apart.js';
import { keyOf, type Verdict } from '../../run/record.js';
import type { WaitSummary } from './waits.js';

export interface SoakRunPlan {
  /** As for `macvlab run`: all experiments if empty. */
  filters: readonly string[];
  /** How many labs run side by side. */
  jobs: number;
  /** Folder in which the run creates its own folder. */
  out: string;
  signal: AbortSignal;
}

/** The result of a run. */
export interface SoakOutcome {
  /** Absent if the run could not begin. */
  folder?: string;
  /** By key of the experiment: "a1-vepa-to-gateway". */
  verdicts: Record<string, { verdict: Verdict; reason?: string }>;
  /** A failure of the run itself, outside the tests. */
  failure?: string;
  waits: WaitSummary[];
}

/** Runs the experiments once. An aborted run is killed, and its sandboxes end with it. */
export async function runOnce({ filters, jobs, out, signal }: SoakRunPlan): Promise<SoakOutcome> {
  let waits: WaitSummary[] = [];
  try {
    const { folder, records, run } = await runApart(
      {
        plan: { filters, lab: 'sandbox', jobs, bail: false, keep: 'never', out, arguments: ['soak', ...filters] },
        setting: { module: new URL('./setting.js', import.meta.url).href, data: undefined },
      },
      {
        ...{ what: 'a run of the soak', signal, whenAborted: 'kill' },
        notes: (noted) => (waits = noted as WaitSummary[]),
      },
    );
    const verdicts = records.map((record) => {
      const { verdict, reason } = record;
      return [keyOf(record), { verdict, ...(reason === undefined ? {} : { reason }) }] as const;
    });
    const failure = run.failure && `${run.failure.code}: ${run.failure.message}`;
    return { folder, verdicts: Object.fromEntries(verdicts), ...(failure === undefined ? {} : { failure }), waits };
  } catch (error) {
    return { verdicts: {}, failure: messageOf(error), waits };
  }
}
