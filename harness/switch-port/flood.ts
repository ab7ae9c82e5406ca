/** What is a flood. */

/** Children's frames that have come back, of the few that they have asked with, from which on nothing more is sent. */
export const floodedFrom = 30;

/** The same, behind all that was sent: several times as many as are ever sent. */
export const loopFrom = 200;
