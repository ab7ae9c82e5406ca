/** Prints a soak on a terminal. */
import pc from 'picocolors';
import type { SoakReport, SoakRun } from './soak.js';

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

/** Prints one run, as soon as it has ended. */
export function printRun({ number, duration, changes, folder }: SoakRun, { runs }: SoakReport): void {
  const changed = runs.filter((run) => run.changes.length > 0).length;
  const how = changes.length === 0 ? pc.green('steady') : pc.red(`${changes.length} changed`);
  process.stdout.write(`run ${number}: ${how} (${seconds(duration)}; ${changed} of ${runs.length} changed so far)\n`);
  for (const { experiment, was, is, reason } of changes)
    process.stdout.write(`  ${experiment || 'the run as a whole'}: ${was}, then ${is}: ${reason}\n`);
  if (folder !== undefined) process.stdout.write(`  kept: ${folder}\n`);
}

/** How many of the longest waits are printed. The JSON file has more. */
const shown = 8;

/** Prints the result of the soak. The last line is "29 steady, 1 changed". */
export function printSoak({ runs, verdicts, waits, trouble }: SoakReport): void {
  const durations = runs.map(({ duration }) => duration).sort((a, b) => a - b);
  const middle = durations[Math.floor(durations.length / 2)] ?? 0;
  const counted = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  const lines = [
    ...(trouble === undefined ? [] : [`there is nothing to compare with: ${trouble}`]),
    `the first run: ${counted.join(', ') || 'nothing'}`,
    `durations: ${seconds(durations[0] ?? 0)} to ${seconds(durations.at(-1) ?? 0)}, median ${seconds(middle)}`,
    'the longest waits:',
    ...waits
      .slice(0, shown)
      .map(({ what, longest, deadline, times }) => `  ${longest} ms of ${deadline} ms: ${what} (${times} times)`),
  ];
  for (const line of lines) process.stdout.write(`${line}\n`);
  const { steady, changed } = countsOf({ runs });
  process.stdout.write(`${steady} steady, ${changed} changed\n`);
}

/** Counts the runs after the first, by their outcome. */
export function countsOf({ runs }: Pick<SoakReport, 'runs'>): { steady: number; changed: number } {
  const changed = runs.filter(({ changes }) => changes.length > 0).length;
  return { steady: Math.max(0, runs.length - 1 - changed), changed };
}
