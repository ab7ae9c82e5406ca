/** What tells a good kernel from a bad one, found by performing both; and which of them another kernel is like. */
import { type Failure, keyOf, type TestRecord } from '../run/record.js';
import type { Criterion, Finding, Shown } from './bisection-record.js';

/** What became of the experiments on a kernel. */
export interface Performed {
  records: readonly TestRecord[];
  /** Why there are none, or not all of them. */
  failure?: Failure | undefined;
}

/**
 * What two kernels do differently: the verdicts of experiments; where these are the same, the values that experiments which
 * passed on both have observed. Skipped experiments and errors tell nothing.
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

function valueOf({ observed }: TestRecord, name: string): Shown {
  return Object.hasOwn(observed, name) ? (observed[name] ?? null) : null;
}

/**
 * Which side a kernel is on. It is good where everything is as on the good kernel, and bad as soon as anything is not; also
 * when it is then not as on the bad one either, for the first change is looked for.
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

/** What a kernel shows of a criterion, in a value and in words; without a value where it cannot tell. */
function show({ experiment, value }: Criterion, { records, failure }: Performed): { shown?: Shown; words: string } {
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

/** A value as a reader sees it. */
export function shownWords(shown: Shown): string {
  return shown === null ? 'not observed' : String(shown);
}

/** What became of the experiments as a whole: "5 passed, 1 skipped", or why there is nothing to tell. */
export function performedWords({ records, failure }: Performed): string {
  const counts = (['passed', 'failed', 'skipped', 'error'] as const).flatMap((verdict) => {
    const count = records.filter((record) => record.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return counts.length > 0 ? counts.join(', ') : (failure?.message ?? 'nothing was performed');
}
