/** What the known differences say of what a kernel has shown: expected, an alarm, or the reason for a change. */
import type { FeatureState } from '../run/record.js';
import type { KnownDifference } from './known-difference.js';
import type { Cell } from './table.js';
import { standing } from './version-range.js';

/** Something that kernels may do differently, as each kernel showed it. */
export interface Subject {
  /** What a reader knows it by, where the row alone does not say it: the name of an observed value. */
  label?: string;
  /** The known differences that are about it. */
  known: readonly KnownDifference[];
}

/** What a kernel has shown of a subject; undefined where it has told nothing. */
export interface Showing {
  /** Version of the kernel. */
  version: string;
  told: string | undefined;
}

export interface Judgement {
  expected?: KnownDifference;
  alarms: { known: KnownDifference; words: string }[];
}

/** What a verdict tells of a kernel: errors tell nothing, and what is missing neither. */
export function toldVerdict({ verdict }: Pick<Cell, 'verdict'>): string | undefined {
  return verdict === 'error' || verdict === 'missing' ? undefined : verdict;
}

/** What an observed value tells; nothing where the experiment has not come to a verdict of its own. */
export function toldValue({ verdict, observed }: Pick<Cell, 'verdict' | 'observed'>, name: string): string | undefined {
  if ((verdict !== 'passed' && verdict !== 'failed') || !Object.hasOwn(observed, name)) return undefined;
  return String(observed[name]);
}

/** What a feature's state tells; nothing where the question never reached the kernel. */
export function toldState(cell: { state: FeatureState } | undefined): string | undefined {
  return cell?.state === 'unknown' ? undefined : cell?.state;
}

/**
 * Judges what a kernel has shown. What one known difference expects is no alarm to another, so that a list of one's own can
 * say what is different on one's own kernels.
 */
export function judge({ label, known }: Subject, { version, told }: Showing): Judgement {
  if (told === undefined) return { alarms: [] };
  const placed = known.map((each) => ({ known: each, where: standing(version, each.kernels) }));
  const expected = placed.find((each) => each.where === 'in' && fits(each.known, told))?.known;
  if (expected) return { expected, alarms: [] };
  const alarms = placed.flatMap(({ known, where }) => {
    const what = where === 'unknown' ? undefined : objection(known, where, told);
    return what === undefined ? [] : [{ known, words: label === undefined ? what : `“${label}” ${what}` }];
  });
  return { alarms };
}

/** The known differences that explain a change: it lies on the border of their range, with what they expect on its inner side. */
export function explain({ known }: Subject, before: Showing, after: Showing): KnownDifference[] {
  return known.filter((each) => isBorder(each, before, after) || isBorder(each, after, before));
}

function isBorder(known: KnownDifference, inside: Showing, outside: Showing): boolean {
  return (
    standing(inside.version, known.kernels) === 'in' &&
    standing(outside.version, known.kernels) === 'out' &&
    fits(known, inside.told) &&
    outside.told !== undefined &&
    !fits(known, outside.told)
  );
}

function fits({ expected }: KnownDifference, told: string | undefined): boolean {
  return told === String(expected);
}

/** What is wrong with something that is not as expected in a range, or as expected only there. */
function objection(known: KnownDifference, where: 'in' | 'out', told: string): string | undefined {
  const { name, kernels, expected } = known;
  const isVerdict = known.about.feature === undefined && known.about.observed === undefined;
  if (where === 'in') {
    // A verdict that is neither: what was expected has not been shown to be gone.
    if (isVerdict && told !== 'passed') return undefined;
    return isVerdict
      ? `passed, but “${name}” expects it to ${expected === 'failed' ? 'fail' : 'be skipped'} on ${kernels}`
      : `is ${told}, but “${name}” expects ${expected} on ${kernels}`;
  }
  // An unexpected failure speaks for itself.
  if (!fits(known, told) || told === 'failed') return undefined;
  return isVerdict
    ? `was ${told}, which “${name}” expects only on ${kernels}`
    : `is ${told}, which “${name}” expects only on ${kernels}`;
}
