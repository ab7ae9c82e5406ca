/**
 * The search of a bisection over positions in a row whose ends are known. It returns the positions to try next.
 * Its only state is the readings so far.
 */

/** The reading of a position: as the first of the row, as the last, or no result. */
export type Reading = 'first' | 'last' | 'nothing';

/** The range that contains the change, according to the readings so far. */
export interface Bracket {
  /** The last position before the change; initially 0. */
  before: number;
  /** The first position after the change. */
  after: number;
  /** Positions between these two that have no reading yet. */
  open: number[];
  /** Positions between these two that gave no result. */
  holes: number[];
}

/**
 * Returns the range that contains the change.
 * @param count number of positions; the readings of the first and the last are known and may be absent from `readings`
 * @param readings the readings of the other positions, in the order of the tries
 */
export function bracket(count: number, readings: ReadonlyMap<number, Reading>): Bracket {
  const those = (wanted: Reading) => [...readings].filter(([, each]) => each === wanted).map(([position]) => position);
  const after = Math.min(count - 1, ...those('last'));
  const before = Math.max(0, ...those('first').filter((position) => position < after));
  const between = Array.from({ length: Math.max(0, after - before - 1) }, (_, index) => before + 1 + index);
  const open = between.filter((position) => !readings.has(position));
  return { before, after, open, holes: between.filter((position) => readings.get(position) === 'nothing') };
}

/**
 * The next positions to try, in order; none if no position is open. A single one is the middle of the open positions.
 * After a position without a result, its neighbours probably give none either. The next position is then farther away,
 * as in git bisect ("skip" in git's bisect.c).
 * @param width number of positions to try at the same time; they divide the open positions evenly
 */
export function nextPositions(count: number, readings: ReadonlyMap<number, Reading>, width = 1): number[] {
  const { open } = bracket(count, readings);
  const at = (fraction: number) => open[Math.floor(fraction * open.length)];
  const inVain = [...readings.values()].reverse().findIndex((each) => each !== 'nothing');
  const fractions =
    width === 1
      ? [fractionAfter(inVain < 0 ? readings.size : inVain)]
      : Array.from({ length: width }, (_, index) => (index + 1) / (width + 1));
  return [...new Set(fractions.map(at))].filter((position) => position !== undefined);
}

/** 1/2, 1/4, 3/4, 1/8, 5/8 ...: the numbers from 1 in binary, with their digits mirrored at the point (van der Corput). */
function fractionAfter(inVain: number): number {
  let [rest, fraction, weight] = [inVain + 1, 0, 0.5];
  for (; rest > 0; rest = Math.floor(rest / 2), weight /= 2) fraction += (rest % 2) * weight;
  return fraction;
}

/** The number of rounds that are left if every position gives a result. Each round leaves one part of `width` + 1. */
export function stepsLeft(open: number, width = 1): number {
  let [left, steps] = [open, 0];
  for (; left > 0; steps += 1) left = Math.ceil((left - Math.min(width, left)) / (width + 1));
  return steps;
}

/** Positions that read as the first, after others that read as the last: the row has more than one change. */
export function contradictions(count: number, readings: ReadonlyMap<number, Reading>): number[] {
  const { after } = bracket(count, readings);
  return [...readings].filter(([position, each]) => each === 'first' && position > after).map(([position]) => position);
}
