/** This machine's clock against its own unstoppable one: whether somebody has set it. */

/** Readings of which the one that was least interrupted counts. */
const readings = 5;

/**
 * Milliseconds that the time of day is ahead of the monotonic clock. The kernel slews both alike (adjtimex(2)), so that this changes
 * only when the clock is set, or when the machine has slept.
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

/** Milliseconds: Date.now() knows no fractions, and the two readings are never quite at once. */
const tolerance = 3;

/** Looks from now on whether the clock is set. @returns by how many milliseconds it was, when asked; undefined when it was not */
export function watchClock(): () => number | undefined {
  const before = clockOffset();
  return () => {
    const jump = Math.round(clockOffset() - before);
    return Math.abs(jump) > tolerance ? jump : undefined;
  };
}
