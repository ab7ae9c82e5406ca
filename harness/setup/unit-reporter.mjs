/**
 * Mocha's dots, and the counts of the unit tests with what failed as JSON in the file that MACVLAB_UNIT_COUNTS names. The
 * one file here that needs a package: it runs inside mocha, when the set-up is long done.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** @typedef {import('./totals.mjs').UnitCounts} UnitCounts */

export default class UnitReporter extends Mocha.reporters.Dot {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env['MACVLAB_UNIT_COUNTS'];
    if (!file) return;
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      /** @type {UnitCounts} */
      const counts = {
        passed: this.stats.passes,
        failed: this.stats.failures,
        skipped: this.stats.pending,
        failures: this.failures.map(
          (test) => `${test.fullTitle()}: ${test.err?.message.split('\n')[0] ?? 'no message'}`,
        ),
      };
      writeFileSync(file, JSON.stringify(counts));
    });
  }
}
