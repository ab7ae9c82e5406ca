/**
 * The status of a test in each format that macvlab exports, as one table. No format has the same word for a failure of
 * the kernel and for an error of the lab.
 */

/** The status of an exported test. */
export type Status =
  | 'passed'
  | 'failed'
  /** It failed, and a known difference expects that. */
  | 'knownFailure'
  /** It passed, or showed a value, where a known difference expects another result. */
  | 'unexpectedPass'
  | 'skipped'
  /** The lab or macvlab could not be trusted during the test. */
  | 'error'
  /** Only of the run as a whole: the lab could not be built, or planned tests have no record. */
  | 'missing';

/** The words of one status. */
export interface StatusWords {
  /** Documentation/dev-tools/ktap.rst; `missing` is a "Bail out!" line instead. */
  ktap: { line: 'ok' | 'not ok' | 'Bail out!'; directive?: 'XFAIL' | 'XPASS' | 'SKIP' | 'ERROR' };
  /** The counter of the kselftest line "# Totals:" (tools/testing/selftests/kselftest.h, ksft_print_cnts). */
  total: 'pass' | 'fail' | 'xfail' | 'xpass' | 'skip' | 'error';
  /** kcidb_io/schema/v05_03.py, "status". */
  kcidb: 'PASS' | 'FAIL' | 'SKIP' | 'ERROR' | 'MISS';
  /** NIPA has no word for an error: contest/remote/exec.py has `warn` for it. */
  nipa: 'pass' | 'fail' | 'skip' | 'warn';
  /** Results of LAVA's `lava-test-case`. */
  lava: 'pass' | 'fail' | 'skip' | 'unknown';
  /** tmt/schemas/common.yaml, "result_outcome"; `original` if the result is not that of the test. */
  tmt: { result: 'pass' | 'fail' | 'skip' | 'error'; original?: 'fail' };
}

/** The words of each status in each format. */
export const statusWords: Readonly<Record<Status, StatusWords>> = {
  passed: words({ line: 'ok' }, 'pass', 'PASS', 'pass', 'pass', { result: 'pass' }),
  failed: words({ line: 'not ok' }, 'fail', 'FAIL', 'fail', 'fail', { result: 'fail' }),
  knownFailure: words({ line: 'ok', directive: 'XFAIL' }, 'xfail', 'FAIL', 'pass', 'pass', {
    result: 'pass',
    original: 'fail',
  }),
  unexpectedPass: words({ line: 'not ok', directive: 'XPASS' }, 'xpass', 'PASS', 'fail', 'fail', { result: 'fail' }),
  skipped: words({ line: 'ok', directive: 'SKIP' }, 'skip', 'SKIP', 'skip', 'skip', { result: 'skip' }),
  error: words({ line: 'not ok', directive: 'ERROR' }, 'error', 'ERROR', 'warn', 'unknown', { result: 'error' }),
  missing: words({ line: 'Bail out!' }, 'error', 'MISS', 'warn', 'unknown', { result: 'error' }),
};

function words(
  ktap: StatusWords['ktap'],
  total: StatusWords['total'],
  kcidb: StatusWords['kcidb'],
  nipa: StatusWords['nipa'],
  lava: StatusWords['lava'],
  tmt: StatusWords['tmt'],
): StatusWords {
  return { ktap, total, kcidb, nipa, lava, tmt };
}

/** From the worst to the best: the status of several tests together is the first that one of them has. */
const order: readonly Status[] = ['failed', 'unexpectedPass', 'missing', 'error', 'knownFailure', 'passed', 'skipped'];

/** The status of several tests together; `missing` for none. */
export function worstOf(statuses: readonly Status[]): Status {
  return order.find((status) => statuses.includes(status)) ?? 'missing';
}
