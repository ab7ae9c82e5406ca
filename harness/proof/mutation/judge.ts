/** Judges whether the run detected a fault, and reported the correct reason. */
import { exitCode } from '../../core/error.js';
import { type Failure, keyOf } from '../../run/record.js';
import type { Fault } from './fault.js';
import type { FaultRun } from './faulty-run.js';

export interface Finding {
  id: string;
  of: Fault['of'];
  imitates: string;
  outcome: 'caught' | 'missed' | 'not applicable';
  /** Whether the expected reason was reported. */
  blamed: boolean;
  /** The experiment that caught the fault or missed it: "A1.1 bridge, ping to a sibling: answered inside the parent". Empty if no experiment ran. */
  by: string;
  /** The verdict of that experiment, or of the whole run if no experiment ran. */
  verdict: string;
  /** The reason from the record, or why the fault was missed or is not applicable. */
  reason: string;
  /** Kernel release of the lab's machine; empty if no lab was opened. */
  kernel: string;
  /** Milliseconds that the run took. */
  duration: number;
}

type Record = FaultRun['records'][number];

/**
 * Judges one fault by the result of its run.
 * @param without the result of the same experiments without a fault. An experiment that is red there as well has caught
 *   nothing.
 */
export function judge(fault: Fault, performed: FaultRun, without: FaultRun, duration: number): Finding {
  const { id, of, imitates } = fault;
  const about = { id, of, imitates, kernel: performed.kernel, duration: Math.round(duration) };
  const { records, trouble } = performed;
  if (trouble !== undefined) return { ...about, ...missed(`the fault could not be made: ${trouble}`) };
  if (without.failure || without.trouble !== undefined)
    return { ...about, ...missed(`without it there is no run either: ${without.failure?.message ?? without.trouble}`) };
  const otherwise = new Map(without.records.map((record) => [keyOf(record), record.verdict]));
  const [first] = records;
  if (first && records.every(({ verdict }) => verdict === 'skipped')) {
    const performable = records.find((record) => otherwise.get(keyOf(record)) !== 'skipped');
    if (performable) return { ...about, ...missed('skipped, and without it performed', performable) };
    return { ...about, ...told(first), outcome: 'not applicable', blamed: false };
  }
  // An experiment that is skipped without the fault proves nothing, unless nothing else is red: a failed set-up makes
  // every experiment of its suite red.
  const ran = records.filter((record) => otherwise.get(keyOf(record)) !== 'skipped');
  const counted = ran.some(isRed) ? ran : records;
  const spoiled = counted.find((record) => isRed(record) && otherwise.get(keyOf(record)) !== 'passed');
  if (spoiled) return { ...about, ...missed('not passed without it either', spoiled) };
  return { ...about, ...(of === 'tools' ? judgeTools : judgeNetwork)(fault, { ...performed, records: counted }) };
}

function isRed({ verdict }: Record): boolean {
  return verdict === 'failed' || verdict === 'error';
}

type Judgement = Pick<Finding, 'outcome' | 'blamed' | 'by' | 'verdict' | 'reason'>;

/** The finding for a fault that cannot occur in a lab. */
export function notApplicable({ id, of, imitates }: Fault, why: string): Finding {
  const nobody = { by: '', verdict: '', kernel: '', duration: 0, blamed: false };
  return { ...{ id, of, imitates }, outcome: 'not applicable', reason: why, ...nobody };
}

/** A fault of the network must make a test red, and the exit code with it. */
function judgeNetwork({ expected }: Fault, { records, failure, exit }: FaultRun): Judgement {
  const red = records.filter(isRed);
  const right = red.find((record) => record.verdict === expected.verdict && expected.reason.test(wholeReason(record)));
  const shown = right ?? red.find(({ verdict }) => verdict === expected.verdict) ?? red[0];
  // A failure outside the experiments does not count as their detection.
  if (exit === exitCode.ok || !shown)
    return missed(failure?.message ?? `all ${records.length} experiments passed`, records[0]);
  return { ...told(shown), outcome: 'caught', blamed: right !== undefined };
}

/** A fault of our own tools must not look like a failure of the kernel, and no dependent experiment may pass. */
function judgeTools({ expected }: Fault, { records, failure, exit }: FaultRun): Judgement {
  const wrong = records.find(({ verdict }) => verdict === 'failed');
  if (wrong) return { ...missed('blamed on the kernel: ', wrong), reason: `blamed on the kernel: ${wrong.reason}` };
  const errors = records.filter(({ verdict }) => verdict === 'error');
  if (expected.verdict === 'passed') {
    const [error] = errors;
    const shown = error ?? records[0];
    const blamed = !error && !failure && exit === exitCode.ok;
    return { ...(shown ? told(shown) : missed(failure?.message ?? '')), outcome: shown ? 'caught' : 'missed', blamed };
  }
  const passed = records.find(({ verdict }) => verdict === 'passed');
  if (passed) return missed('passed, though it depends on the broken tool', passed);
  if (exit === exitCode.ok || exit === exitCode.failed) return missed(`the run ended with exit code ${exit}`);
  const right = errors.find((record) => expected.reason.test(wholeReason(record)));
  const shown = right ?? errors[0];
  if (shown) return { ...told(shown), outcome: 'caught', blamed: right !== undefined };
  if (!failure) return missed('nothing was said');
  const words = wordsOf(failure);
  return {
    outcome: 'caught',
    blamed: expected.reason.test(words),
    by: '',
    verdict: 'error',
    reason: `${failure.code}: ${failure.message}`,
  };
}

function missed(reason: string, by?: Record): Judgement {
  return { outcome: 'missed', blamed: false, by: by ? `${by.id} ${by.title}` : '', verdict: by?.verdict ?? '', reason };
}

function told(record: Record): Pick<Judgement, 'by' | 'verdict' | 'reason'> {
  const { id, title, verdict, reason = '', failure } = record;
  const code = failure && failure.code !== 'ASSERTION' ? `${failure.code}: ` : '';
  // The listing of an exchange begins with the reason for its outcome.
  const why = /^seen of .*?\): (.*)$/m.exec(failure?.details ?? '')?.[1];
  return { by: `${id} ${title}`, verdict, reason: `${code}${reason}${why && why !== 'answered' ? `; ${why}` : ''}` };
}

function wholeReason({ reason = '', failure }: Record): string {
  return failure ? `${reason}\n${wordsOf(failure)}` : reason;
}

function wordsOf({ code, message, details = '' }: Failure): string {
  return `${code}: ${message}\n${details}`;
}

/** How many of a hundred caught faults must have the expected reason. */
const blamedOfHundred = 90;

/** Whether no fault was missed, and nearly all have the expected reason. */
export function isGreen(findings: readonly Finding[]): boolean {
  const caught = findings.filter(({ outcome }) => outcome === 'caught');
  const blamed = caught.filter((finding) => finding.blamed);
  const nothingMissed = findings.every(({ outcome }) => outcome !== 'missed');
  return nothingMissed && caught.length > 0 && blamed.length * 100 >= caught.length * blamedOfHundred;
}
