/** Prints ended runs on a terminal. */
import pc from 'picocolors';
import type { KilledRun } from './scratch-machine.js';

/** Prints one run, when its leftovers are determined. */
export function printKilledRun({ at, how, step, exit, clean, troubles }: KilledRun): void {
  const outcome = troubles.length === 0 ? pc.green('clean') : pc.red('not clean');
  process.stdout.write(
    `${outcome}: ${how} at step ${at} (${step}): ended with ${exit}, nothing left after ${clean} ms\n`,
  );
  for (const trouble of troubles) process.stdout.write(`${trouble.replace(/^/gm, '  ')}\n`);
}

/** Prints the last line: "264 ended, 264 clean, 0 not clean". */
export function printSummary(steps: number, endings: readonly KilledRun[]): void {
  const dirty = endings.filter(({ troubles }) => troubles.length > 0).length;
  const slowest = Math.max(0, ...endings.map(({ clean }) => clean));
  process.stdout.write(`${steps} steps; nothing was left after ${slowest} ms at most\n`);
  process.stdout.write(`${endings.length} ended, ${endings.length - dirty} clean, ${dirty} not clean\n`);
}
