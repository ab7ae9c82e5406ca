/**
 * One sabotage, performed in a process of its own: suites are loaded and performed once in a process. Called as a program with a
 * {@link Commission} as JSON; prints a {@link Performed} as JSON.
 */
import { MacvlabError } from '../core/error.js';
import { loadDriver } from '../lab/drivers.js';
import { exitCodeOf } from '../report/outcome.js';
import { failureRecord } from '../run/failure.js';
import { perform } from '../run/perform.js';
import type { Failure, TestRecord } from '../run/record.js';
import type { Sabotage } from './sabotage.js';
import { sabotaged } from './sabotaged-driver.js';
import { Strike } from './strike.js';

export interface Commission {
  /** URL of the module whose export `sabotages` holds the one that is meant. */
  module: string;
  id: string;
  lab: 'sandbox' | 'vm';
  /** Where the run's own folder is made. */
  out: string;
}

/** What has become of a run in a sabotaged lab. */
export interface Performed {
  /** The exit code that `macvlab run` would end with. */
  exit: number;
  records: Pick<TestRecord, 'id' | 'title' | 'verdict' | 'reason' | 'failure' | 'durationMs'>[];
  /** Kernel release of the lab's machine; empty where no lab stood. */
  kernel: string;
  /** What went wrong beside the tests. */
  failure?: Failure;
  /** Why the sabotage itself could not be made, or that it never was. */
  trouble?: string;
}

const [, , commission = ''] = process.argv;
process.stdout.write(JSON.stringify(await performed(JSON.parse(commission) as Commission)));
// A clock that has jumped, or a session that is stopped, may leave timers behind.
process.exit(0);

async function performed({ module, id, lab, out }: Commission): Promise<Performed> {
  const { sabotages } = (await import(module)) as { sabotages: readonly Sabotage[] };
  const sabotage = sabotages.find((each) => each.id === id);
  if (!sabotage) throw new Error(`no sabotage ${id}`);
  const strike = new Strike(sabotage);
  const driver = sabotaged(await loadDriver(lab, lab === 'vm' ? { guests: 1 } : {}), strike);
  const listener = { remark() {}, begin() {}, testStarted() {}, testEnded() {}, end() {} };
  const signal = new AbortController().signal;
  try {
    const plan = {
      filters: sabotage.experiments,
      lab,
      jobs: 1,
      bail: false,
      keep: 'never' as const,
      out,
      signal,
      listener,
    };
    const results = await perform({ ...plan, arguments: ['audit', id] }, [driver]);
    const { run, records } = results;
    return {
      exit: exitCodeOf(results),
      kernel: run.kernel,
      records: records.map(({ id: experiment, title, verdict, reason, failure, durationMs }) => ({
        ...{ id: experiment, title, verdict, durationMs },
        ...(reason === undefined ? {} : { reason }),
        ...(failure === undefined ? {} : { failure }),
      })),
      ...(run.failure ? { failure: run.failure } : {}),
      ...troubleOf(strike, records),
    };
  } catch (error) {
    const exit = error instanceof MacvlabError ? error.exit : 3;
    return { exit, kernel: '', records: [], failure: failureRecord(error), ...troubleOf(strike, []) };
  }
}

function troubleOf({ trouble, pending }: Strike, records: readonly TestRecord[]): Pick<Performed, 'trouble'> {
  if (trouble !== undefined) return { trouble };
  const skipped = records.length > 0 && records.every(({ verdict }) => verdict === 'skipped');
  return pending.size > 0 && !skipped
    ? { trouble: `it never struck: ${[...pending].map(({ way }) => way).join()}` }
    : {};
}
