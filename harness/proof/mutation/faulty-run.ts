/** Runs the experiments of one fault, or of its control, in a separate process. */
import { MacvlabError } from '../../core/error.js';
import { exitCodeOf } from '../../report/run/outcome.js';
import { runApart } from '../../run/apart.js';
import { failureRecord } from '../../run/failure.js';
import type { Failure, TestRecord } from '../../run/record.js';
import type { Fault } from './fault.js';
import type { MutationJob, InjectionNotes } from './setting.js';

/** The result of a run in a faulty lab. */
export interface FaultRun {
  /** The exit code of the corresponding `macvlab run`. */
  exit: number;
  records: Pick<TestRecord, 'key' | 'id' | 'title' | 'verdict' | 'reason' | 'failure' | 'durationMs'>[];
  /** Kernel release of the lab's machine; empty if no lab was opened. */
  kernel: string;
  /** A failure of the run itself, outside the tests. */
  failure?: Failure;
  /** Why the fault could not be made, or that it never took effect. */
  trouble?: string;
}

/**
 * Runs the experiments of a job. An aborted run is killed, and its lab ends with it.
 * @throws the signal's reason
 */
export async function runWithFault(
  { injections, timeoutFactor }: { injections: Fault['injections']; timeoutFactor?: number | undefined },
  job: MutationJob,
  signal: AbortSignal,
): Promise<FaultRun> {
  const { lab, out } = job;
  const disk = injections.find((injection) => injection.way === 'disk');
  const ended: TestRecord[] = [];
  let injector: InjectionNotes = { pending: [] };
  try {
    const results = await runApart(
      {
        plan: { filters: [], lab, jobs: 1, bail: false, keep: 'never', out, arguments: ['mutation'] },
        setting: { module: new URL('./setting.js', import.meta.url).href, data: job },
      },
      {
        ...{ what: 'a fault', signal, whenAborted: 'kill' },
        ...(disk && { command: onSmallDisk(disk.size, out, [process.execPath]) }),
        env: {
          ...process.env,
          ...(timeoutFactor === undefined ? {} : { MACVLAB_TIMEOUT_FACTOR: String(timeoutFactor) }),
        },
        listener: { testEnded: (record) => void ended.push(record) },
        notes: (noted) => (injector = noted as InjectionNotes),
      },
    );
    const { run, records } = results;
    return {
      exit: exitCodeOf(results),
      kernel: run.kernel,
      records: records.map(inShort),
      ...(run.failure ? { failure: run.failure } : {}),
      ...troubleOf(injector, records),
    };
  } catch (error) {
    signal.throwIfAborted();
    const exit = error instanceof MacvlabError ? error.exit : 3;
    if (error instanceof MacvlabError && error.code === 'WORKER_DIED')
      return { exit, kernel: '', records: [], trouble: [error.message, error.evidence].filter(Boolean).join(': ') };
    // A run that cannot end in order has no results, but it has reported its tests.
    const failure = failureRecord(error);
    return {
      exit,
      kernel: ended[0]?.kernel ?? '',
      records: ended.map(inShort),
      failure,
      ...troubleOf(injector, ended),
    };
  }
}

function inShort({ key, id, title, verdict, reason, failure, durationMs }: TestRecord): FaultRun['records'][number] {
  return {
    ...{ key, id, title, verdict, durationMs },
    ...(reason === undefined ? {} : { reason }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function troubleOf({ trouble, pending }: InjectionNotes, records: readonly TestRecord[]): Pick<FaultRun, 'trouble'> {
  if (trouble !== undefined) return { trouble };
  const skipped = records.length > 0 && records.every(({ verdict }) => verdict === 'skipped');
  return pending.length > 0 && !skipped ? { trouble: `it never struck: ${pending.join()}` } : {};
}

/** A command with its own mounts, in which a folder is a disk of a given size. */
function onSmallDisk(size: string, folder: string, command: readonly string[]): string[] {
  const script = 'mount -t tmpfs -o "size=$1,nr_inodes=2k" fault "$2" && shift 2 && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', script, 'sh', size, folder, ...command];
}
