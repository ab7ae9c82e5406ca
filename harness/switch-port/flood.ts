/** Thresholds for a flood. */

/** If more of the children's frames than this return after the few requests, nothing more is sent. */
export const floodedFrom = 30;

/** The same, after all frames were sent: several times as many as are ever sent. */
export const loopFrom = 200;
