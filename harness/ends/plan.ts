/** Which steps are struck, and how: all of them, or a sample that its seed tells. */
import { type How } from './strike.js';
import type { Strike } from './world.js';

/** Every step of a stretch, in every way. */
export function allStrikes({ from, to }: { from: number; to: number }, hows: readonly How[]): Strike[] {
  const steps = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  return steps.flatMap((at) => hows.map((how) => ({ at, how })));
}

/** So many of them, spread over the whole: one out of each of so many equal stretches. */
export function sample(strikes: readonly Strike[], size: number, seed: number): Strike[] {
  if (size >= strikes.length) return [...strikes];
  const random = generator(seed);
  return Array.from({ length: size }, (_, index) => {
    const [from, to] = [index, index + 1].map((part) => Math.floor((part * strikes.length) / size));
    return strikes[(from ?? 0) + Math.floor(random() * ((to ?? 0) - (from ?? 0)))];
  }).filter((strike) => strike !== undefined);
}

/** Numbers from 0 to 1 that look like chance: a linear congruential generator (Numerical Recipes, 7.1). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
