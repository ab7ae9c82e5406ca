/** Computes the total of unit tests and suites, and the reasons why it cannot be green. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../mutation/judge.js';
import { groupBy } from '../../core/group.js';
import type { RunRecord, TestRecord } from '../../run/record.js';
import type { FileResult } from './file-result.js';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The result of a part of the tests. Any reason not to trust the total counts as a failure, so that the line alone shows red or green. */
export interface Outcome {
  counts: Counts;
  /** The problems, a line each. */
  problems: string[];
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };

/** The outcome of a file's unit tests. A file without a test is an error, and red. */
export function fileOutcome(name: string, { passed, skipped, failures }: FileResult): Outcome {
  const counts = { passed, failed: failures.length, skipped: skipped.length };
  if (passed + failures.length + skipped.length === 0) {
    return { counts: { ...none, failed: 1 }, problems: [`${name} has no test`] };
  }
  return {
    counts,
    problems: failures.map(({ title, message }) => `unit test failed: ${title}: ${firstLine(message)}`),
  };
}

const inTitle = / *\(skipped: (.*?)\)/;

/**
 * Why unit tests were skipped, a line for each reason: "2 skipped: tshark not installed (frames beside tshark …)".
 * @param titles of the skipped tests; a title contains the reason (harness/setup/needs.test-support.ts)
 */
export function skipReasons(titles: readonly string[]): string[] {
  const reasonOf = (title: string): string => inTitle.exec(title)?.[1] ?? 'no reason given';
  return [...groupBy(titles, reasonOf)].map(
    ([reason, [first = '', ...others]]) =>
      `${1 + others.length} skipped: ${reason} (${first.replace(inTitle, '')}${others.length > 0 ? ' …' : ''})`,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/**
 * The suites' outcome, from a run's folder. Planned tests without a record count as failed. If every lab is promised,
 * tests that are skipped because a lab is missing count as failed as well.
 * @param folder undefined if no run began
 */
export function suiteOutcome(folder: string | undefined, { everyLab = false } = {}): Outcome {
  if (folder === undefined) return { counts: { ...none, failed: 1 }, problems: ['the suites left no run behind'] };
  const run = readJson(path.join(folder, 'run.json')) as RunRecord;
  const records = readRecords(path.join(folder, 'records'));
  // Counts distinct numbers: a duplicate record does not replace a missing one.
  const lost = Math.max(run.planned - new Set(records.map(({ number }) => number)).size, 0);
  const deniedRecords = everyLab ? records.filter(lacksLab) : [];
  const denied = deniedRecords.length;
  const count = (...verdicts: TestRecord['verdict'][]) =>
    records.filter(({ verdict }) => verdicts.includes(verdict)).length;
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

/** The outcome of tests of which many may be skipped. It is red if all of them were. */
export function atLeastOne<T extends Outcome>(outcome: T): T {
  const { counts, problems } = outcome;
  if (counts.passed + counts.failed > 0) return outcome;
  return { ...outcome, counts: { ...counts, failed: 1 }, problems: [...problems, 'all of its tests were skipped'] };
}

/** The outcome of the mutation tests, from their report. A missed fault counts as failed. */
export function mutationOutcome(file: string): Outcome {
  if (!existsSync(file)) return { counts: { ...none, failed: 1 }, problems: ['the mutation tests left no report'] };
  const { findings } = readJson(file) as { findings: Pick<Finding, 'id' | 'outcome' | 'reason'>[] };
  const count = (wanted: Finding['outcome']) => findings.filter(({ outcome }) => outcome === wanted).length;
  const missed = findings.filter(({ outcome }) => outcome === 'missed');
  return {
    counts: { passed: count('caught'), failed: missed.length, skipped: count('not applicable') },
    problems: missed.map(({ id, reason }) => `fault ${id} was missed: ${reason}`),
  };
}

/** Whether a test was skipped because another lab that could run it cannot be used, or because a container engine is missing. */
function lacksLab({ verdict, lacks }: TestRecord): boolean {
  return verdict === 'skipped' && (lacks === 'lab' || lacks === 'engine');
}

/**
 * Whether a run had experiments on VLANs, and none ran in a guest. Either the running kernel carries all of them, or
 * guests are missing without a message.
 */
export function hasSparedGuests(folder: string | undefined): boolean {
  const records = folder === undefined ? [] : readRecords(path.join(folder, 'records'));
  const inGuest = records.some(({ lab, verdict }) => lab === 'vm' && verdict !== 'skipped');
  return !inGuest && records.some(({ file }) => /vlan/.test(file));
}

/**
 * The outcome of all parts, with the exit codes of their programs.
 * @returns exit: the first exit code of a part that is not 0, or 1 if only the counts are red
 */
export function totalOutcome(parts: readonly (Outcome & { name: string; exit: number })[]): Outcome & { exit: number } {
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

/** The last line of every test command. */
export function totalLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function readRecords(folder: string): TestRecord[] {
  if (!existsSync(folder)) return [];
  // A name with a leading dot is an incomplete file whose writer died.
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !file.startsWith('.'));
  return files.map((file) => readJson(path.join(folder, file)) as TestRecord);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
