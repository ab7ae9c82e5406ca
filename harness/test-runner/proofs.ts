/** Programs that prove something of the harness itself, in the short form that a promise of every lab includes. */
import { existsSync, readFileSync } from 'node:fs';
import type { Counts, Outcome } from './totals.js';

export interface Proof {
  /** Also of the folder below reports/ in which it writes. */
  name: string;
  /** Relative to the project's folder. */
  program: string;
  options: string[];
}

export const proofs: readonly Proof[] = [
  {
    name: 'soak',
    program: 'dist/harness/soak/main.js',
    options: ['--runs', '5', '--parallel', '2', '--load'],
  },
  ...[
    { lab: 'sandbox', size: 24 },
    { lab: 'container', size: 4 },
    { lab: 'vm', size: 2 },
  ].map(({ lab, size }) => ({
    name: `ends-${lab}`,
    program: 'dist/harness/ends/main.js',
    options: ['--lab', lab, '--sample', String(size)],
  })),
];

/** The file that each writes at its end, in its folder: {@link Counts}. */
export const countsFile = 'counts.json';

/** A proof's outcome, from what it wrote. */
export function proofOutcome(name: string, file: string): Outcome {
  if (!existsSync(file)) {
    return { counts: { passed: 0, failed: 1, skipped: 0 }, problems: [`${name} did not come to its end`] };
  }
  const counts = JSON.parse(readFileSync(file, 'utf8')) as Counts;
  if (counts.passed + counts.failed > 0) {
    return { counts, problems: counts.failed > 0 ? [`${name}: see reports/${name}`] : [] };
  }
  return { counts: { ...counts, failed: 1 }, problems: [`${name} has proven nothing`] };
}
