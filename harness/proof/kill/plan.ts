/** Selects the steps at which runs are ended, and how: all of them, or a sample that its seed determines. */
import { type KillSignal } from './kill-at-step.js';
import type { Kill } from './scratch-machine.js';

/** Every step of a range, with every signal. */
export function allKills({ from, to }: { from: number; to: number }, hows: readonly KillSignal[]): Kill[] {
  const steps = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  return steps.flatMap((at) => hows.map((how) => ({ at, how })));
}

/** A sample of this size, spread over the whole: one from each of as many equal parts. */
export function sample(kills: readonly Kill[], size: number, seed: number): Kill[] {
  if (size >= kills.length) return [...kills];
  const random = generator(seed);
  return Array.from({ length: size }, (_, index) => {
    const [from, to] = [index, index + 1].map((part) => Math.floor((part * kills.length) / size));
    return kills[(from ?? 0) + Math.floor(random() * ((to ?? 0) - (from ?? 0)))];
  }).filter((kill) => kill !== undefined);
}

/** Pseudo-random numbers from 0 to 1: a linear congruential generator (Numerical Recipes, 7.1). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
