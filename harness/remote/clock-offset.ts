/** How far a machine's clock is ahead of the clock of this machine. */

/** Microseconds. */
export interface ClockOffset {
  /** How far the machine's clock is ahead of the local clock. */
  ahead: number;
  /** The possible error of `ahead`, in either direction. */
  error: number;
}
/** The clock of a machine that is this machine. */
export const sameClock: ClockOffset = { ahead: 0, error: 0 };
