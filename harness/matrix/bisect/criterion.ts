/** The criteria that separate a good kernel from a bad one, and the side of other kernels by these criteria. */
import { type Failure, keyOf, type TestRecord } from '../../run/record.js';
import type { Criterion, Finding, ObservedValue } from './bisection-record.js';

/** The results of the experiments on a kernel. */
export interface Performed {
  records: readonly TestRecord[];
  /** Why there are no records, or not all of them. */
  failure?: Failure | undefined;
}

/**
 * The differences between two kernels: the verdicts of experiments. If these are the same: the observed values of
 * experiments that passed on both. Skipped experiments and errors do not count.
 */
export function criteriaOf(good: Performed, bad: Performed): Criterion[] {
  const others = new Map(bad.records.map((record) => [keyOf(record), record]));
  const pairs = good.records.flatMap((record) => {
    const other = others.get(keyOf(record));
    return other && isVerdict(record) && isVerdict(other) ? [[record, other] as const] : [];
  });
  const verdicts = pairs
    .filter(([one, other]) => one.verdict !== other.verdict)
    .map(([one, other]) => ({ experiment: keyOf(one), good: one.verdict, bad: other.verdict }));
  if (verdicts.length > 0) return verdicts;
  return pairs.filter(([one]) => one.verdict === 'passed').flatMap(([one, other]) => differingValues(one, other));
}

function isVerdict({ verdict }: TestRecord): boolean {
  return verdict === 'passed' || verdict === 'failed';
}

function differingValues(one: TestRecord, other: TestRecord): Criterion[] {
  const names = new Set([...Object.keys(one.observed), ...Object.keys(other.observed)]);
  return [...names]
    .map((value) => ({ experiment: keyOf(one), value, good: valueOf(one, value), bad: valueOf(other, value) }))
    .filter((criterion) => criterion.good !== criterion.bad);
}

function valueOf({ observed }: TestRecord, name: string): ObservedValue {
  return Object.hasOwn(observed, name) ? (observed[name] ?? null) : null;
}

/**
 * The side of a kernel. It is good if all results are as on the good kernel, and bad if one result differs. A result
 * that is as on neither kernel counts as bad too, because the bisection searches for the first change.
 */
export function judge(criteria: readonly Criterion[], performed: Performed): Finding {
  const told = criteria.map((criterion) => ({ criterion, ...show(criterion, performed) }));
  const bad = told.find(({ criterion, shown }) => shown !== undefined && shown !== criterion.good);
  if (bad) {
    const strange = bad.shown !== bad.criterion.bad ? ', which is as on neither, and counts as bad' : '';
    return { side: 'bad', words: `${bad.words}${strange}` };
  }
  const silent = told.find(({ shown }) => shown === undefined);
  if (silent) return { side: 'cannot tell', words: silent.words };
  return { side: 'good', words: told[0]?.words ?? '' };
}

/** The result of a kernel for a criterion, as a value and in words; without a value if there is no result. */
function show(
  { experiment, value }: Criterion,
  { records, failure }: Performed,
): { shown?: ObservedValue; words: string } {
  const record = records.find((each) => keyOf(each) === experiment);
  if (!record) return { words: failure?.message ?? 'it was not performed' };
  const { id, verdict, reason } = record;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (!isVerdict(record)) return { words: verdict === 'skipped' ? `${id} was skipped${why}` : `error${why}` };
  if (value === undefined) return { shown: verdict, words: verdict === 'failed' ? `failed${why}` : verdict };
  if (verdict === 'failed') return { words: `it failed, so that its values tell nothing${why}` };
  const shown = valueOf(record, value);
  return { shown, words: `${value}: ${shownWords(shown)}` };
}

/** A value in words. */
export function shownWords(shown: ObservedValue): string {
  return shown === null ? 'not observed' : String(shown);
}

/** A summary of all results: "5 passed, 1 skipped", or why there are none. */
export function performedWords({ records, failure }: Performed): string {
  const counts = (['passed', 'failed', 'skipped', 'error'] as const).flatMap((verdict) => {
    const count = records.filter((record) => record.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return counts.length > 0 ? counts.join(', ') : (failure?.message ?? 'nothing was performed');
}
