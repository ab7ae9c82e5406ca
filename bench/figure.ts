/** The figures of a measurement, with the same meaning on every machine. */
import { median } from './measure.js';
import { print } from './print.js';

/** A ratio or a count of one run. */
export interface Figure {
  /** Unique: "lab up and down, times a bare script". */
  name: string;
  /** The median over the rounds. */
  value: number;
  /** The range of the middle half of the rounds; of all of them where there are fewer than four. */
  range: [low: number, high: number];
  /** Whether a greater value is better. */
  better: 'greater' | 'smaller';
  /** The value that it should reach. */
  aim?: number | undefined;
}

/**
 * The ratio of two contenders, one quotient for each round, so that other load affects both.
 * @param over milliseconds per round, above the fraction line
 * @param under milliseconds per round, below it; the last round replaces missing ones
 */
export function ratio(
  name: string,
  over: readonly number[],
  under: readonly number[],
  { better, aim }: Pick<Figure, 'better' | 'aim'>,
): Figure {
  const quotients = over.map((value, round) => value / (under[Math.min(round, under.length - 1)] ?? NaN));
  return { name, value: median(quotients), range: middleHalf(quotients), better, aim };
}

function middleHalf(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  return [sorted[quarter] ?? NaN, sorted[sorted.length - 1 - quarter] ?? NaN];
}

/** Prints a figure in one line: "lab up and down, times a bare script: 3.8 (3.5 to 4.1; aim: 3, missed)". */
export function printFigure({ name, value, range, better, aim }: Figure): void {
  const reached = aim !== undefined && (better === 'greater' ? value >= aim : value <= aim);
  const aimed = aim === undefined ? '' : `; aim: ${aim}${reached ? '' : ', missed'}`;
  print(`${name}: ${short(value)} (${range.map(short).join(' to ')}${aimed})`);
}

/** A figure's value with three significant digits: "17.3", "0.42", "1190". */
export function short(value: number): string {
  return value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
