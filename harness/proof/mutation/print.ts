/** Prints mutation tests on a terminal. */
import pc from 'picocolors';
import type { Finding } from './judge.js';

const colours = { caught: pc.green, missed: pc.red, 'not applicable': pc.yellow };

/** Prints one fault, as soon as it is judged. */
export function printFinding({ id, outcome, blamed, by, verdict, reason, duration }: Finding): void {
  const wrong = outcome === 'caught' && !blamed ? pc.yellow(' (wrong reason)') : '';
  const seconds = (duration / 1000).toFixed(1);
  process.stdout.write(`${colours[outcome](outcome)}${wrong} ${id} (${seconds} s)\n`);
  process.stdout.write(`  ${[by, verdict].filter(Boolean).join(': ')}${by ? ': ' : ''}${reason}\n`);
}

/** Prints the last line: "41 caught (41 with the right reason), 0 missed, 6 not applicable". */
export function printSummary(findings: readonly Finding[]): void {
  const count = (wanted: Finding['outcome']) => findings.filter(({ outcome }) => outcome === wanted).length;
  const blamed = findings.filter((finding) => finding.outcome === 'caught' && finding.blamed).length;
  process.stdout.write(
    `${count('caught')} caught (${blamed} with the right reason), ${count('missed')} missed, ${count('not applicable')} not applicable\n`,
  );
}
