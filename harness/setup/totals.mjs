/** The one sum over unit tests and suites, and the reasons why it cannot be green. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * What of a run's files is needed here; all of it is harness/run/record.ts.
 * @typedef {import('../run/record.js').RunRecord} RunRecord
 * @typedef {import('../run/record.js').TestRecord} TestRecord
 * @typedef {import('../audit/judge.js').Finding} Finding
 */

/**
 * What the reporter of the unit tests writes.
 * @typedef {Counts & { failures: string[] }} UnitCounts failures: the titles of what failed, each with the first line of its message
 */

/**
 * What a part of the tests came to. Whatever keeps the sum from being trusted counts as a failure, so that the line
 * alone tells red from green.
 * @typedef {object} Outcome
 * @property {Counts} counts
 * @property {string[]} problems
 */

/** @type {Counts} */
const none = { passed: 0, failed: 0, skipped: 0 };

/**
 * The unit tests' outcome, from what the reporter wrote.
 * @param {string} file
 * @returns {Outcome}
 */
export function unitOutcome(file) {
  if (!existsSync(file)) {
    return { counts: { ...none, failed: 1 }, problems: ['the unit tests did not run to their end'] };
  }
  const { failures, ...counts } = /** @type {UnitCounts} */ (readJson(file));
  if (counts.passed + counts.failed > 0)
    return { counts, problems: failures.map((each) => `unit test failed: ${each}`) };
  return { counts: { ...counts, failed: 1 }, problems: ['no unit test ran'] };
}

/**
 * The suites' outcome, from a run's folder: tests that were planned and left no record count as failed, and so do those
 * that were skipped for want of a lab where every lab is a promise.
 * @param {string | undefined} folder undefined when no run was even begun
 * @param {{ everyLab?: boolean }} [options]
 * @returns {Outcome}
 */
export function suiteOutcome(folder, { everyLab = false } = {}) {
  if (folder === undefined) return { counts: { ...none, failed: 1 }, problems: ['the suites left no run behind'] };
  const run = /** @type {RunRecord} */ (readJson(path.join(folder, 'run.json')));
  const records = readRecords(path.join(folder, 'records'));
  // by their numbers: a record that is there twice stands for no other
  const lost = Math.max(run.planned - new Set(records.map(({ number }) => number)).size, 0);
  const deniedRecords = everyLab ? records.filter(lacksLab) : [];
  const denied = deniedRecords.length;
  /** @param {TestRecord['verdict'][]} verdicts */
  const count = (...verdicts) => records.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const problems = [];
  if (run.failure) problems.push(`the suites could not be performed: ${run.failure.message}`);
  else if (run.planned === 0) problems.push('no test of the suites was planned');
  if (lost > 0) problems.push(`${lost} of ${run.planned} planned tests left no record`);
  if (denied > 0) problems.push(`${denied} tests were skipped for want of a lab: ${deniedRecords[0]?.reason}`);
  const failed = count('failed', 'error') + lost + denied;
  for (const { id, title, verdict, reason } of records) {
    if (verdict === 'failed' || verdict === 'error') problems.push(`${id} ${title}: ${verdict}: ${reason ?? ''}`);
  }
  return {
    counts: {
      passed: count('passed'),
      failed: problems.length > 0 ? Math.max(failed, 1) : failed,
      skipped: count('skipped') - denied,
    },
    problems,
  };
}

/**
 * The outcome of suites that may skip much, and are a promise nonetheless: red when nothing at all was proven.
 * @template {Outcome} T
 * @param {T} outcome
 * @returns {T}
 */
export function atLeastOne(outcome) {
  const { counts, problems } = outcome;
  if (counts.passed + counts.failed > 0) return outcome;
  return { ...outcome, counts: { ...counts, failed: 1 }, problems: [...problems, 'all of its tests were skipped'] };
}

/**
 * The audit's outcome, from what it wrote: what was missed counts as failed.
 * @param {string} file
 * @returns {Outcome}
 */
export function auditOutcome(file) {
  if (!existsSync(file)) return { counts: { ...none, failed: 1 }, problems: ['the audit left no report behind'] };
  const { findings } = /** @type {{ findings: Pick<Finding, 'id' | 'outcome' | 'reason'>[] }} */ (readJson(file));
  /** @param {Finding['outcome']} wanted */
  const count = (wanted) => findings.filter(({ outcome }) => outcome === wanted).length;
  const missed = findings.filter(({ outcome }) => outcome === 'missed');
  return {
    counts: { passed: count('caught'), failed: missed.length, skipped: count('not applicable') },
    problems: missed.map(({ id, reason }) => `sabotage ${id} was missed: ${reason}`),
  };
}

/**
 * Whether a test was skipped because another lab that could have carried it cannot be used, or for want of a container engine.
 * @param {TestRecord} record
 */
function lacksLab({ verdict, lacks }) {
  return verdict === 'skipped' && (lacks === 'lab' || lacks === 'engine');
}

/**
 * Whether a run had experiments on VLANs, and none of it was performed in a guest: the running kernel carries all of them, or
 * guests are missing in silence.
 * @param {string | undefined} folder
 */
export function hasSparedGuests(folder) {
  const records = folder === undefined ? [] : readRecords(path.join(folder, 'records'));
  const inGuest = records.some(({ lab, verdict }) => lab === 'vm' && verdict !== 'skipped');
  return !inGuest && records.some(({ file }) => /vlan/.test(file));
}

/**
 * The outcome of all parts, together with how their programs ended.
 * @param {(Outcome & { name: string, exit: number })[]} parts
 * @returns {Outcome & { exit: number }} exit: the first exit code of a part that is not 0, or 1 when only the counts are red
 */
export function totalOutcome(parts) {
  const problems = parts.flatMap((part) => part.problems);
  const total = { ...none };
  for (const { name, counts, exit } of parts) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    if (exit === 0 || counts.failed > 0) continue;
    total.failed += 1;
    problems.push(`${name} ended with exit code ${exit}, though no test failed`);
  }
  const exit = parts.map((part) => part.exit).find((code) => code !== 0);
  return { counts: total, problems, exit: exit ?? (total.failed > 0 ? 1 : 0) };
}

/**
 * The line that every test command closes with.
 * @param {Counts} counts
 */
export function totalLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * @param {string} folder
 * @returns {TestRecord[]}
 */
function readRecords(folder) {
  if (!existsSync(folder)) return [];
  // a name with a leading dot is a file whose writer died before it was whole
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !file.startsWith('.'));
  return files.map((file) => /** @type {TestRecord} */ (readJson(path.join(folder, file))));
}

/**
 * @param {string} file
 * @returns {unknown}
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
