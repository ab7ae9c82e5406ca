/** This machine's time of day, and its monotonic clock: comparison shows whether the time was set. */

/** The number of readings; the least interrupted one counts. */
const readings = 5;

/**
 * Milliseconds by which the time of day is ahead of the monotonic clock. The kernel slews both in the same way
 * (adjtimex(2)). So the offset changes only when the time is set, or the machine has slept.
 */
function clockOffset(): number {
  const all = Array.from({ length: readings }, () => {
    const before = performance.now();
    const wall = Date.now();
    const after = performance.now();
    return { offset: wall - before, gap: after - before };
  });
  return all.reduce((best, each) => (each.gap < best.gap ? each : best)).offset;
}

/** Milliseconds: Date.now() has no fractions, and the two readings are never exactly simultaneous. */
const tolerance = 3;
/**
 * The part of the elapsed time by which the time of day may gain on the monotonic clock. A service that corrects a virtual
 * machine's time in small steps, after the machine was paused, adds up to 0.5 %. Frames and marks keep their order then,
 * and a time bound is shorter by this part. If the time goes back, they do not keep it.
 */
const mostGain = 0.01;

/** Milliseconds: smaller moves are within the error of two readings, which is 1 ms. */
const leastMove = 2;

/**
 * Watches from now on by how many milliseconds the time of day moves against the monotonic clock. The result changes only
 * by more than 2 ms: the same while the clock is left alone.
 */
export function watchTimeOfDay(): () => number {
  const before = clockOffset();
  let moved = 0;
  return () => {
    const now = clockOffset() - before;
    if (Math.abs(now - moved) > leastMove) moved = now;
    return moved;
  };
}

/** Checks from now on whether the time is set. @returns a function that returns the change in milliseconds; undefined without one */
export function watchClock(): () => number | undefined {
  const [before, began] = [clockOffset(), performance.now()];
  return () => {
    const jump = Math.round(clockOffset() - before);
    const gain = mostGain * (performance.now() - began);
    return jump < -tolerance || jump > tolerance + gain ? jump : undefined;
  };
}

/** Milliseconds between two readings of a clock that nothing interrupted. */
const uninterrupted = 0.05;

/**
 * The time of day at which `performance.now()` would be 0, in milliseconds, with an error of less than 0.1 ms on a machine
 * that is not busy. Waits a few milliseconds at most, for Date.now(), which has no fractions, to change.
 * `performance.timeOrigin` is read only once, at the start of the process: it is wrong as soon as the time is set.
 */
export function timeOrigin(): number {
  let best = { origin: 0, gap: Infinity };
  for (let tick = 0; tick < readings && best.gap > uninterrupted; tick++) {
    // Each reading of the time of day is between `asked` and `read`.
    let [before, asked, read] = [0, performance.now(), 0];
    const began = Date.now();
    let wall = began;
    while (wall === began) [before, asked, wall, read] = [asked, performance.now(), Date.now(), performance.now()];
    // It changed after `before`, when the old time was asked for.
    if (read - before < best.gap) best = { origin: wall - (before + read) / 2, gap: read - before };
  }
  return best.origin;
}
