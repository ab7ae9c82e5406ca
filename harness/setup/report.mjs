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
 * @param {() => void | Promise<void>} step
 * @returns {Promise<SetupError[]>} at most one
 */
export async function attempt(step) {
  try {
    await step();
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
 * Writes to standard error, as it is.
 * @param {string} text
 */
export function write(text) {
  if (!quiet) process.stderr.write(text);
}

/**
 * One line to standard error.
 * @param {string} line
 */
export function say(line) {
  write(`macvlab: ${line}\n`);
}
