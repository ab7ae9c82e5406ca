/** The result of a run as a whole: counts, the exit code, and whether its records are complete. */
import { exitCode } from '../../core/error.js';
import type { Failure, RunResults, TestRecord, Verdict } from '../../run/record.js';

/** Number of records of each verdict. */
export function countVerdicts(records: readonly Pick<TestRecord, 'verdict'>[]): Record<Verdict, number> {
  const counts = { passed: 0, failed: 0, skipped: 0, error: 0 };
  for (const { verdict } of records) counts[verdict] += 1;
  return counts;
}

/** The last line of a run's output: "N passed, N failed, N skipped". Errors count as failed, because they prove nothing. */
export function summaryLine(records: readonly Pick<TestRecord, 'verdict'>[]): string {
  const { passed, failed, skipped, error } = countVerdicts(records);
  return `${passed} passed, ${failed + error} failed, ${skipped} skipped`;
}

/**
 * Why the run as a whole proves less than planned: no lab, an interruption, tests without a record, a record that
 * proves nothing, or only skipped tests. Undefined if every planned test has its own record. Also undefined if the run
 * had to end at the first test that did not pass, and one did not pass.
 */
export function shortfall({ run, records }: RunResults): Failure | undefined {
  if (run.failure) return run.failure;
  const got = new Set(records.map(({ number }) => number).filter((number) => number <= run.planned)).size;
  if (run.endedAfter !== undefined && records.some(({ verdict }) => verdict === 'failed' || verdict === 'error')) {
    return undefined;
  }
  if (got < run.planned || records.length === 0) return lacking(run, records.length === 0 ? 0 : got);
  const strangers = records.length - got;
  if (strangers > 0) {
    const message = `${strangers} more records than the ${run.planned} planned tests`;
    return { code: 'NO_EVIDENCE', message, next: 'look in the run’s folder for records that are another run’s' };
  }
  if (records.every(({ verdict }) => verdict === 'skipped')) return nothingRan(records);
  const empty = records.find(({ verdict, assertions }) => verdict === 'passed' && assertions === 0);
  if (!empty) return undefined;
  const message = `${empty.id} is said to have passed, and has asserted nothing`;
  return { code: 'NO_EVIDENCE', message, next: 'run it again: macvlab itself writes no such record' };
}

/** Each skip has its reason. A run with only skips proves nothing, and is no success. */
function nothingRan(records: readonly TestRecord[]): Failure {
  const reasons = [...new Set(records.map(({ reason = 'no reason was recorded' }) => reason))];
  return {
    code: 'NO_EVIDENCE',
    message: `no experiment ran: ${records.length === 1 ? 'it was' : `all ${records.length} were`} skipped`,
    details: reasons.join('\n'),
    next: 'look at the reasons; `macvlab doctor` with the same lab says what that lab lacks',
  };
}

function lacking({ planned, interrupted, endedAt }: RunResults['run'], found: number): Failure {
  const got = `${found} of ${planned} planned tests have a record`;
  if (interrupted) {
    return { code: 'INTERRUPTED', message: `the run was interrupted: ${got}`, next: 'run it again' };
  }
  const stillOpen = 'The run has not ended: it is still going on, or it was killed.';
  return {
    code: 'NO_EVIDENCE',
    message: found === 0 ? 'no test has a record' : `only ${got}`,
    ...(endedAt === undefined && { details: stillOpen }),
    next: 'run it again; when it ends this way twice, the last record names the test before the one that ended it',
  };
}

/**
 * The exit code of a run (docs/verdicts.md: "Exit codes"). 130 if it was interrupted.
 * 1 if any test failed, even if others had an error. A failure needs its own passed positive control, so it is valid
 * regardless of other tests. A CI or `git bisect` must not lose it.
 * 3 if there is no failure but a missing verdict: an error, no lab, no record, fewer records than planned, or only
 * skips.
 * 0 if at least one passed, and all others passed or were skipped.
 */
export function exitCodeOf(results: RunResults): number {
  const { failed, error } = countVerdicts(results.records);
  if (results.run.interrupted) return exitCode.interrupted;
  if (failed > 0) return exitOfVerdict('failed');
  return error > 0 || shortfall(results) ? exitOfVerdict('error') : exitCode.ok;
}

/** The exit code for a test's verdict. */
export function exitOfVerdict(verdict: 'failed' | 'error'): number {
  return verdict === 'failed' ? exitCode.failed : exitCode.lab;
}
