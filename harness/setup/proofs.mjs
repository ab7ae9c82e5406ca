/** Programs that prove something of the harness itself, in the short form that a promise of every lab includes. */
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {import('./totals.mjs').Counts} Counts */
/** @typedef {import('./totals.mjs').Outcome} Outcome */

/**
 * @typedef {object} Proof
 * @property {string} name also of the folder below reports/ in which it writes
 * @property {string} program relative to the project's folder
 * @property {string[]} options
 */

/** @type {readonly Proof[]} */
export const proofs = [
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

/**
 * A proof's outcome, from what it wrote.
 * @param {string} name
 * @param {string} file
 * @returns {Outcome}
 */
export function proofOutcome(name, file) {
  if (!existsSync(file)) {
    return { counts: { passed: 0, failed: 1, skipped: 0 }, problems: [`${name} did not come to its end`] };
  }
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(file, 'utf8'));
  const counts = /** @type {Counts} */ (read);
  if (counts.passed + counts.failed > 0) {
    return { counts, problems: counts.failed > 0 ? [`${name}: see reports/${name}`] : [] };
  }
  return { counts: { ...counts, failed: 1 }, problems: [`${name} has proven nothing`] };
}
