/** Judges a kernel's results by the known differences: expected, an alarm, or the reason for a change. */
import type { FeatureState } from '../../run/record.js';
import type { KnownDifference } from './known-difference.js';
import type { Cell } from './kernel-table.js';
import { standing } from './version-range.js';

/** A property that may differ between kernels. */
export interface Subject {
  /** Its name for the reader, if the row does not show it: the name of an observed value. */
  label?: string;
  /** The known differences about it. */
  known: readonly KnownDifference[];
}

/** The value of a subject on a kernel; undefined if the kernel has shown none. */
export interface Showing {
  /** Version of the kernel. */
  version: string;
  value: string | undefined;
}

export interface Judgement {
  expected?: KnownDifference;
  alarms: { known: KnownDifference; words: string }[];
}

/** A verdict as a value; undefined for an error or a missing verdict. */
export function verdictValue({ verdict }: Pick<Cell, 'verdict'>): string | undefined {
  return verdict === 'error' || verdict === 'missing' ? undefined : verdict;
}

/** An observed value; undefined if the experiment neither passed nor failed. */
export function observedValue(
  { verdict, observed }: Pick<Cell, 'verdict' | 'observed'>,
  name: string,
): string | undefined {
  if ((verdict !== 'passed' && verdict !== 'failed') || !Object.hasOwn(observed, name)) return undefined;
  return String(observed[name]);
}

/** A feature's state; undefined if the probe did not reach the kernel. */
export function stateValue(cell: { state: FeatureState } | undefined): string | undefined {
  return cell?.state === 'unknown' ? undefined : cell?.state;
}

/**
 * Judges the value that a kernel has shown. If one known difference expects it, the others raise no alarm. A user's
 * list can thus describe what differs on the user's kernels.
 */
export function judge({ label, known }: Subject, { version, value }: Showing): Judgement {
  if (value === undefined) return { alarms: [] };
  const placed = known.map((each) => ({ known: each, where: standing(version, each.kernels) }));
  const expected = placed.find((each) => each.where === 'in' && fits(each.known, value))?.known;
  if (expected) return { expected, alarms: [] };
  const alarms = placed.flatMap(({ known, where }) => {
    const what = where === 'unknown' ? undefined : objection(known, where, value);
    return what === undefined ? [] : [{ known, words: label === undefined ? what : `“${label}” ${what}` }];
  });
  return { alarms };
}

/** The known differences that explain a change: it crosses the border of their range, with the expected value on the inner side. */
export function explain({ known }: Subject, before: Showing, after: Showing): KnownDifference[] {
  return known.filter((each) => isBorder(each, before, after) || isBorder(each, after, before));
}

function isBorder(known: KnownDifference, inside: Showing, outside: Showing): boolean {
  return (
    standing(inside.version, known.kernels) === 'in' &&
    standing(outside.version, known.kernels) === 'out' &&
    fits(known, inside.value) &&
    outside.value !== undefined &&
    !fits(known, outside.value)
  );
}

function fits({ expected }: KnownDifference, value: string | undefined): boolean {
  return value === String(expected);
}

/** The contradiction to a known difference: another value inside its range, or the expected value outside. */
function objection(known: KnownDifference, where: 'in' | 'out', value: string): string | undefined {
  const { name, kernels, expected } = known;
  const isVerdict = known.about.feature === undefined && known.about.observed === undefined;
  if (where === 'in') {
    // Neither passed nor as expected: this does not show that the expected result is gone.
    if (isVerdict && value !== 'passed') return undefined;
    return isVerdict
      ? `passed, but “${name}” expects it to ${expected === 'failed' ? 'fail' : 'be skipped'} on ${kernels}`
      : `is ${value}, but “${name}” expects ${expected} on ${kernels}`;
  }
  // An unexpected failure needs no alarm.
  if (!fits(known, value) || value === 'failed') return undefined;
  return isVerdict
    ? `was ${value}, which “${name}” expects only on ${kernels}`
    : `is ${value}, which “${name}” expects only on ${kernels}`;
}
