/**
 * One run of a soak, in a process of its own: suites are loaded and performed once in a process. Called as a program with a
 * {@link Commission} as JSON; prints a {@link Performed} as JSON.
 */
import { messageOf } from '../core/error.js';
import { noteWaits } from '../core/wait.js';
import { loadDriver } from '../lab/drivers.js';
import { perform } from '../run/perform.js';
import { keyOf, type Verdict } from '../run/record.js';
import { Waits, type WaitSummary } from './waits.js';

export interface Commission {
  /** As `macvlab run` has them: all experiments when empty. */
  filters: readonly string[];
  /** Labs side by side. */
  jobs: number;
  /** Where the run's own folder is made. */
  out: string;
}

/** What has become of a run. */
export interface Performed {
  /** Absent when it could not even be begun. */
  folder?: string;
  /** By experiment: "A1.3 bridge: …". */
  verdicts: Record<string, { verdict: Verdict; reason?: string }>;
  /** What went wrong beside the tests. */
  failure?: string;
  waits: WaitSummary[];
}

const [, , commission = ''] = process.argv;
process.stdout.write(JSON.stringify(await performed(JSON.parse(commission) as Commission)));

async function performed({ filters, jobs, out }: Commission): Promise<Performed> {
  const waits = new Waits();
  noteWaits((note) => waits.add(note));
  const listener = { remark() {}, begin() {}, testStarted() {}, testEnded() {}, end() {} };
  const plan = { filters, lab: 'sandbox', jobs, bail: false, keep: 'never' as const, out, listener };
  const signal = new AbortController().signal;
  try {
    const driver = await loadDriver('sandbox', {});
    const { folder, records, run } = await perform({ ...plan, signal, arguments: ['soak', ...filters] }, [driver]);
    const verdicts = records.map((record) => {
      const { verdict, reason } = record;
      return [keyOf(record), { verdict, ...(reason === undefined ? {} : { reason }) }] as const;
    });
    const failure = run.failure && `${run.failure.code}: ${run.failure.message}`;
    return {
      folder,
      verdicts: Object.fromEntries(verdicts),
      ...(failure === undefined ? {} : { failure }),
      waits: waits.slowest(),
    };
  } catch (error) {
    return { verdicts: {}, failure: messageOf(error), waits: waits.slowest() };
  }
}
