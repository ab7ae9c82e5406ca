/** Measures the time of alternating work, so that other load on the machine affects all contenders equally. */
import { availableParallelism, loadavg, release } from 'node:os';

/** The measured functions, by name. */
export type Contenders<Name extends string> = Record<Name, () => Promise<unknown>>;

/** Milliseconds of wall time for some work. */
export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * Runs contenders in turn, all once per round.
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

/** The machine of the measurement, and its load before. */
export function machine(): string {
  const [load = 0] = loadavg();
  return `${availableParallelism()} cores, load ${load.toFixed(2)}, kernel ${release()}, node ${process.versions.node}`;
}
