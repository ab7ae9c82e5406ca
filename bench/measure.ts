/** Measuring: work timed turn by turn, so that whatever else the machine does meets all contenders alike. */
import { availableParallelism, loadavg, release } from 'node:os';

/** Something that is measured, by its name. */
export type Contenders<Name extends string> = Record<Name, () => Promise<unknown>>;

/** Milliseconds of wall time that work takes. */
export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * Lets contenders work in turn, all once per round.
 * @returns milliseconds per contender, one per round
 */
export async function alternate<Name extends string>(
  rounds: number,
  contenders: Contenders<Name>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push(await millisecondsOf(contenders[name]));
  }
  return times;
}

/** The middle value; the mean of the two in the middle when they are even in number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** What the numbers were taken on, and how busy it was before. */
export function machine(): string {
  const [load = 0] = loadavg();
  return `${availableParallelism()} cores, load ${load.toFixed(2)}, kernel ${release()}, node ${process.versions.node}`;
}
