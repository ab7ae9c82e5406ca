/** Messages of the set-up: they go to standard error, so that a report on standard output stays clean. */

/** Why the set-up cannot continue, and the one thing to try next. */
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
 * Runs a step, and returns its error.
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

/** Suppresses all messages from now on: messages about failures would look like failed tests. */
export function beQuiet() {
  quiet = true;
}

/**
 * Writes to standard error, unchanged.
 * @param {string} text
 */
export function write(text) {
  if (!quiet) process.stderr.write(text);
}

/**
 * Writes one line to standard error.
 * @param {string} line
 */
export function say(line) {
  write(`macvlab: ${line}\n`);
}
