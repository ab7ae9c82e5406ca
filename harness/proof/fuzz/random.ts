/** Random numbers that are the same for the same seed, so that a finding can be reproduced. */

/** Returns an integer from 0, less than `below`. */
export type Random = (below: number) => number;

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** An element of a list that is not empty. */
export function choose<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}
