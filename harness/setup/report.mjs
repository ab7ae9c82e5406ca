/** How the set-up talks: to standard error, so that a report on standard output stays clean. */

/** Why the set-up cannot go on, and the one thing to try next. */
export class SetupError extends Error {
  /**
   * @param {string} message what failed
   * @param {string} next what to try
   */
  constructor(message, next) {
    super(message);
    this.name = 'SetupError';
    this.next = next;
  }
}

/**
 * Does a step, and returns what keeps it from being done.
 * @param {() => void} step
 * @returns {SetupError[]} at most one
 */
export function attempt(step) {
  try {
    step();
    return [];
  } catch (error) {
    if (error instanceof SetupError) return [error];
    throw error;
  }
}

let quiet = false;

/** From now on nothing is said: tests of failures would look like failures. */
export function beQuiet() {
  quiet = true;
}

/**
 * One line to standard error.
 * @param {string} line
 */
export function say(line) {
  if (!quiet) process.stderr.write(`macvlab: ${line}\n`);
}
