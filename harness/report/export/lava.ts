/**
 * A run as the signals that LAVA reads on the console of a job. `lava-test-case` prints the same lines. The script
 * send-to-lava.sh of Linaro's test-definitions drops results with the word `unknown`, so this does not use it.
 */
import type { ExportedTest } from './exported-tests.js';
import { measurements } from './measurements.js';
import { statusWords } from './status.js';

/** A run as LAVA's signals, without a newline at the end. */
export function lavaSignals(tests: readonly ExportedTest[]): string {
  return [
    '<LAVA_SIGNAL_TESTSET START macvlab>',
    ...tests.flatMap((test) => [
      signal(test.key, statusWords[test.status].lava),
      ...measurements(test).map(({ slug, value }) => signal(`${test.key}-${slug}`, 'pass', value)),
    ]),
    '<LAVA_SIGNAL_TESTSET STOP>',
  ].join('\n');
}

function signal(id: string, result: string, measurement?: number): string {
  const value = measurement === undefined ? '' : ` MEASUREMENT=${measurement}`;
  return `<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${id} RESULT=${result}${value}>`;
}
