/** Running one command of the set-up, with its output on our standard error. */
import { spawnSync } from 'node:child_process';
import { findProgram } from './machine.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */

/**
 * Runs a command to its end.
 * @param {string[]} command argument list
 * @param {Machine} machine where its program is searched
 * @param {{ cwd?: string, environment?: Record<string, string> }} [options]
 * @returns {string | undefined} how it failed, in a few words; undefined when all went well
 */
export function runCommand(command, machine, { cwd, environment = {} } = {}) {
  const [name = '', ...argumentList] = command;
  const program = findProgram(name, machine.folders);
  if (program === undefined) return `there is no program ${name}`;
  const { error, status, signal } = spawnSync(program, argumentList, {
    cwd,
    // package managers call helpers that live in sbin, which the user's PATH may lack
    env: { ...process.env, ...environment, PATH: machine.folders.join(':') },
    stdio: ['ignore', 2, 2],
  });
  if (error) return error.message;
  if (signal) return `ended by ${signal}`;
  return status === 0 ? undefined : `exit status ${status}`;
}
