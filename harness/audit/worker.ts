/**
 * One sabotage, or what it is compared with, performed in a process of its own: suites are loaded and performed once in a process. Called as a program with a
 * {@link Commission} as JSON; prints a {@link Performed} as JSON.
 */
import { MacvlabError } from '../core/error.js';
import { loadDriver } from '../lab/drivers.js';
import { exitCodeOf } from '../report/outcome.js';
import { loadCatalogue, matches } from '../run/catalogue.js';
import { failureRecord } from '../run/failure.js';
import { perform } from '../run/perform.js';
import type { Failure, TestRecord } from '../run/record.js';
import type { Sabotage } from './sabotage.js';
import { sabotaged } from './sabotaged-driver.js';
import { Strike } from './strike.js';

export interface Commission {
  /** URL of the module whose export `sabotages` holds the one that is meant. */
  module: string;
  /** Its id; for the same without any sabotage, the filters of the experiments: those that match nothing are left out. */
  id: string | readonly string[];
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
  const sabotage =
    typeof id === 'string' ? await sabotageOf(module, id) : { attacks: [], experiments: await known(id) };
  const strike = new Strike(sabotage, out);
  const driver = sabotaged(await loadDriver(lab, lab === 'vm' ? { guests: 1 } : {}), strike);
  const told: TestRecord[] = [];
  const testEnded = (record: TestRecord) => void told.push(record);
  const listener = { remark() {}, begin() {}, testStarted() {}, testEnded, end() {} };
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
    const results = await perform({ ...plan, arguments: ['audit'] }, [driver]);
    const { run, records } = results;
    return {
      exit: exitCodeOf(results),
      kernel: run.kernel,
      records: records.map(inShort),
      ...(run.failure ? { failure: run.failure } : {}),
      ...troubleOf(strike, records),
    };
  } catch (error) {
    const exit = error instanceof MacvlabError ? error.exit : 3;
    // A run that cannot be ended in order has no results, but it has told somebody of its tests.
    const failure = failureRecord(error);
    return { exit, kernel: told[0]?.kernel ?? '', records: told.map(inShort), failure, ...troubleOf(strike, told) };
  }
}

async function sabotageOf(module: string, id: string): Promise<Sabotage> {
  const { sabotages } = (await import(module)) as { sabotages: readonly Sabotage[] };
  const sabotage = sabotages.find((each) => each.id === id);
  if (!sabotage) throw new Error(`no sabotage ${id}`);
  return sabotage;
}

async function known(filters: readonly string[]): Promise<readonly string[]> {
  const all = await loadCatalogue();
  const found = filters.filter((filter) => all.some((experiment) => matches(experiment, filter)));
  // None would mean all of them.
  return found.length > 0 ? found : filters;
}

function inShort({ id, title, verdict, reason, failure, durationMs }: TestRecord): Performed['records'][number] {
  return {
    ...{ id, title, verdict, durationMs },
    ...(reason === undefined ? {} : { reason }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function troubleOf({ trouble, pending }: Strike, records: readonly TestRecord[]): Pick<Performed, 'trouble'> {
  if (trouble !== undefined) return { trouble };
  const skipped = records.length > 0 && records.every(({ verdict }) => verdict === 'skipped');
  return pending.size > 0 && !skipped
    ? { trouble: `it never struck: ${[...pending].map(({ way }) => way).join()}` }
    : {};
}
