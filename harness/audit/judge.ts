/** Whether a sabotage was noticed, and rightly blamed. */
import { exitCode } from '../core/error.js';
import { type Failure, keyOf } from '../run/record.js';
import type { Sabotage } from './sabotage.js';
import type { Performed } from './worker.js';

export interface Finding {
  id: string;
  of: Sabotage['of'];
  imitates: string;
  outcome: 'caught' | 'missed' | 'not applicable';
  /** Whether the reason that was expected has been named. */
  blamed: boolean;
  /** Who has caught it, or has not: "A1.1 bridge: ns1 reaches its sibling"; empty where no experiment was performed. */
  by: string;
  /** The verdict of that experiment; of the run as a whole where none was performed. */
  verdict: string;
  /** In words of the record, or why it was missed or is not applicable. */
  reason: string;
  /** Kernel release of the lab's machine; empty where no lab stood. */
  kernel: string;
  /** Milliseconds that it took. */
  duration: number;
}

type Record = Performed['records'][number];

/**
 * Judges one sabotage by what has become of its run.
 * @param without what has become of the same experiments where nobody has broken anything: what is red there as well has caught nothing
 */
export function judge(sabotage: Sabotage, performed: Performed, without: Performed, duration: number): Finding {
  const { id, of, imitates } = sabotage;
  const about = { id, of, imitates, kernel: performed.kernel, duration: Math.round(duration) };
  const { records, trouble } = performed;
  if (trouble !== undefined) return { ...about, ...missed(`the sabotage could not be made: ${trouble}`) };
  if (without.failure || without.trouble !== undefined)
    return { ...about, ...missed(`without it there is no run either: ${without.failure?.message ?? without.trouble}`) };
  const otherwise = new Map(without.records.map((record) => [keyOf(record), record.verdict]));
  const [first] = records;
  if (first && records.every(({ verdict }) => verdict === 'skipped')) {
    const performable = records.find((record) => otherwise.get(keyOf(record)) !== 'skipped');
    if (performable) return { ...about, ...missed('skipped, and without it performed', performable) };
    return { ...about, ...told(first), outcome: 'not applicable', blamed: false };
  }
  // One that is skipped without it tells nothing, unless it is all that is red: a failed set-up makes every experiment of its suite red.
  const ran = records.filter((record) => otherwise.get(keyOf(record)) !== 'skipped');
  const counted = ran.some(isRed) ? ran : records;
  const spoiled = counted.find((record) => isRed(record) && otherwise.get(keyOf(record)) !== 'passed');
  if (spoiled) return { ...about, ...missed('not passed without it either', spoiled) };
  return { ...about, ...(of === 'tools' ? judgeTools : judgeNetwork)(sabotage, { ...performed, records: counted }) };
}

function isRed({ verdict }: Record): boolean {
  return verdict === 'failed' || verdict === 'error';
}

type Judgement = Pick<Finding, 'outcome' | 'blamed' | 'by' | 'verdict' | 'reason'>;

/** What is found of a sabotage that a lab cannot be the victim of. */
export function notApplicable({ id, of, imitates }: Sabotage, why: string): Finding {
  const nobody = { by: '', verdict: '', kernel: '', duration: 0, blamed: false };
  return { ...{ id, of, imitates }, outcome: 'not applicable', reason: why, ...nobody };
}

/** What the network does wrong must make a test red, and the exit code with it. */
function judgeNetwork({ expected }: Sabotage, { records, failure, exit }: Performed): Judgement {
  const red = records.filter(isRed);
  const right = red.find((record) => record.verdict === expected.verdict && expected.reason.test(wholeReason(record)));
  const shown = right ?? red.find(({ verdict }) => verdict === expected.verdict) ?? red[0];
  // What goes wrong beside the experiments is not theirs to have noticed.
  if (exit === exitCode.ok || !shown)
    return missed(failure?.message ?? `all ${records.length} experiments passed`, records[0]);
  return { ...told(shown), outcome: 'caught', blamed: right !== undefined };
}

/** Trouble of our own tools is never the kernel's failure, and nothing that depends on them passes. */
function judgeTools({ expected }: Sabotage, { records, failure, exit }: Performed): Judgement {
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
  // The listing of an exchange begins with why it came out as it did.
  const why = /^seen of .*?\): (.*)$/m.exec(failure?.details ?? '')?.[1];
  return { by: `${id} ${title}`, verdict, reason: `${code}${reason}${why && why !== 'answered' ? `; ${why}` : ''}` };
}

function wholeReason({ reason = '', failure }: Record): string {
  return failure ? `${reason}\n${wordsOf(failure)}` : reason;
}

function wordsOf({ code, message, details = '' }: Failure): string {
  return `${code}: ${message}\n${details}`;
}

/** How many of a hundred caught ones must name the reason that was expected. */
const blamedOfHundred = 90;

/** Whether nothing was missed, and nearly all was blamed rightly. */
export function isGreen(findings: readonly Finding[]): boolean {
  const caught = findings.filter(({ outcome }) => outcome === 'caught');
  const blamed = caught.filter((finding) => finding.blamed);
  const nothingMissed = findings.every(({ outcome }) => outcome !== 'missed');
  return nothingMissed && caught.length > 0 && blamed.length * 100 >= caught.length * blamedOfHundred;
}
