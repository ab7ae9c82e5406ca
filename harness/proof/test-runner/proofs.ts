/** Programs that prove a property of the harness itself, in the short form that runs if every lab is promised. */
import { existsSync, readFileSync } from 'node:fs';
import type { Counts, Outcome } from './totals.js';

export interface Proof {
  /** Also the name of the folder below reports/ to which it writes. */
  name: string;
  /** Relative to the project's folder. */
  program: string;
  options: string[];
}

export const proofs: readonly Proof[] = [
  {
    name: 'soak',
    program: 'dist/harness/proof/soak/main.js',
    options: ['--runs', '5', '--parallel', '2', '--load'],
  },
  ...[
    { lab: 'sandbox', size: 24 },
    { lab: 'container', size: 4 },
    { lab: 'vm', size: 2 },
  ].map(({ lab, size }) => ({
    name: `ends-${lab}`,
    program: 'dist/harness/proof/kill/main.js',
    options: ['--lab', lab, '--sample', String(size)],
  })),
];

/** The file that each proof writes to its folder at its end: {@link Counts}. */
export const countsFile = 'counts.json';

/** The outcome of a proof, from the file that it wrote. */
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
