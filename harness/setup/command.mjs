/** Runs one command of the set-up. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findProgram } from './machine.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */

/**
 * Runs a command to its end.
 * @param {string[]} command argument list
 * @param {Machine} machine where its program is searched
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {Record<string, string>} [options.environment]
 * @param {(line: string) => void} [options.onLine] called with each line of output; without it, output goes to our
 *   standard error
 * @returns {Promise<string | undefined>} the failure, in a few words; undefined if it succeeded
 */
export async function runCommand(command, machine, { cwd, environment = {}, onLine } = {}) {
  const [name = '', ...argumentList] = command;
  const program = findProgram(name, machine.folders);
  if (program === undefined) return `there is no program ${name}`;
  const child = spawn(program, argumentList, {
    cwd,
    // package managers call helpers in sbin, which the user's PATH may lack
    env: { ...process.env, ...environment, PATH: machine.folders.join(':') },
    stdio: onLine ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream && onLine) createInterface({ input: stream }).on('line', onLine);
  }
  const end = () => child.kill();
  process.once('exit', end);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => {
      process.off('exit', end);
      if (signal) resolve(`ended by ${signal}`);
      else resolve(status === 0 ? undefined : `exit status ${status}`);
    });
  });
}

/**
 * The standard output of a command that changes nothing; "" if there is no such program.
 * @param {string[]} command argument list
 * @param {Machine} machine
 */
export function outputOf([name = '', ...argumentList], machine) {
  const program = findProgram(name, machine.folders);
  if (program === undefined) return '';
  const env = { ...process.env, LC_ALL: 'C', PATH: machine.folders.join(':') };
  return spawnSync(program, argumentList, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout;
}
