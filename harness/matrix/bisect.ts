/**
 * The search of a bisection, and nothing else: positions in a row whose ends are known, and which of them to ask next. What
 * has been told so far is all its state.
 */

/** What a position told: it is as the first of the row, as the last, or it could not tell. */
export type Told = 'first' | 'last' | 'nothing';

/** Where the change is, as far as is known. */
export interface Bracket {
  /** The last position before the change; 0 at the beginning. */
  before: number;
  /** The first one behind it. */
  after: number;
  /** What lies between and has not been asked. */
  open: number[];
  /** What lies between and could not tell. */
  holes: number[];
}

/**
 * Where the change is.
 * @param count how many positions there are: the first and the last are known, and need not be told
 * @param told what the others have told, in the order of asking
 */
export function bracket(count: number, told: ReadonlyMap<number, Told>): Bracket {
  const those = (wanted: Told) => [...told].filter(([, each]) => each === wanted).map(([position]) => position);
  const after = Math.min(count - 1, ...those('last'));
  const before = Math.max(0, ...those('first').filter((position) => position < after));
  const between = Array.from({ length: Math.max(0, after - before - 1) }, (_, index) => before + 1 + index);
  const open = between.filter((position) => !told.has(position));
  return { before, after, open, holes: between.filter((position) => told.get(position) === 'nothing') };
}

/**
 * The positions to ask next, in their order; none when there is nothing left to ask. One is the middle of what is open.
 * Where that could not tell, its neighbours are likely not to either: the next is taken from farther away, as git bisect
 * does ("skip" in git's bisect.c).
 * @param width how many are asked at once: they part what is open evenly
 */
export function nextPositions(count: number, told: ReadonlyMap<number, Told>, width = 1): number[] {
  const { open } = bracket(count, told);
  const at = (fraction: number) => open[Math.floor(fraction * open.length)];
  const inVain = [...told.values()].reverse().findIndex((each) => each !== 'nothing');
  const fractions =
    width === 1
      ? [fractionAfter(inVain < 0 ? told.size : inVain)]
      : Array.from({ length: width }, (_, index) => (index + 1) / (width + 1));
  return [...new Set(fractions.map(at))].filter((position) => position !== undefined);
}

/** 1/2, 1/4, 3/4, 1/8, 5/8 ...: the numbers from 1 in binary, with their digits mirrored at the point (van der Corput). */
function fractionAfter(inVain: number): number {
  let [rest, fraction, weight] = [inVain + 1, 0, 0.5];
  for (; rest > 0; rest = Math.floor(rest / 2), weight /= 2) fraction += (rest % 2) * weight;
  return fraction;
}

/** How many more times one has to ask, when all can tell: each time leaves one part of `width` + 1. */
export function stepsLeft(open: number, width = 1): number {
  let [left, steps] = [open, 0];
  for (; left > 0; steps += 1) left = Math.ceil((left - Math.min(width, left)) / (width + 1));
  return steps;
}

/** Positions that were told to be as the first, behind others that are as the last: there is more than one change. */
export function contradictions(count: number, told: ReadonlyMap<number, Told>): number[] {
  const { after } = bracket(count, told);
  return [...told].filter(([position, each]) => each === 'first' && position > after).map(([position]) => position);
}
