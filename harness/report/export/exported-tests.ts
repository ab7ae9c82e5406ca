/** The tests of a run as all exports have them: each with its key and its status. */
import { judge, observedValue, verdictValue } from '../../matrix/compare/expectation.js';
import type { KnownDifference } from '../../matrix/compare/known-difference.js';
import { Subjects } from '../../matrix/compare/subjects.js';
import type { Failure, RunResults, TestRecord } from '../../run/record.js';
import { shortfall } from '../run/outcome.js';
import type { Status } from './status.js';

/** A test, or the run as a whole. */
export interface ExportedTest {
  /** The experiment's key, which has only letters, digits and hyphens; {@link wholeRun} for the run as a whole. */
  key: string;
  status: Status;
  /** One line; absent if there is nothing to explain. */
  reason?: string;
  /** The failure or error in full. */
  failure?: Failure;
  /** The known difference that expects this result, or another one. */
  known?: KnownDifference;
  /** Absent for the run as a whole. */
  record?: TestRecord;
}

/** The key of the run as a whole. */
export const wholeRun = 'macvlab-run';

/**
 * The tests of a run in the order of their numbers. If the run proves less than planned, the last one is the run as a
 * whole, so that no export of it is green.
 * @param known the known differences that may expect a failure
 */
export function exportedTests(results: RunResults, known: readonly KnownDifference[]): ExportedTest[] {
  const subjects = new Subjects(known);
  const tests = results.records.map((record) => exportedTest(record, subjects));
  const lack = allSkipped(results) ? undefined : shortfall(results);
  if (!lack) return tests;
  return [...tests, { key: wholeRun, status: 'missing', reason: lack.message, failure: lack }];
}

/** A run of skipped tests only is not an error in these formats: they have a result for it. */
function allSkipped({ run, records }: RunResults): boolean {
  const isWhole = run.failure === undefined && records.length > 0 && records.length === run.planned;
  return isWhole && records.every(({ verdict }) => verdict === 'skipped');
}

function exportedTest(record: TestRecord, subjects: Subjects): ExportedTest {
  const { verdict, failure, reason = failure?.message } = record;
  const test = { key: nameOf(record), record, ...(failure && { failure }), ...(reason !== undefined && { reason }) };
  const judged = judge(subjects.verdict(record), { version: record.kernel, value: verdictValue(record) });
  if (verdict === 'failed' && judged.expected) {
    const known = judged.expected;
    return { ...test, status: 'knownFailure', known, reason: `${known.name}: ${known.reason}` };
  }
  if (verdict !== 'passed') return { ...test, status: verdict };
  const values = Object.keys(record.observed).map((name) =>
    judge(subjects.value(record, name), { version: record.kernel, value: observedValue(record, name) }),
  );
  const alarm = [judged, ...values].flatMap(({ alarms }) => alarms)[0];
  if (!alarm) return { ...test, status: 'passed' };
  return { ...test, status: 'unexpectedPass', known: alarm.known, reason: alarm.words };
}

/** The key, without the characters that a format would change or refuse. Only a record of another program has some. */
function nameOf({ key }: TestRecord): string {
  return key.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'test';
}
