import { expect } from 'chai';
import { exitCodeOf, shortfall, summaryLine } from './outcome.js';
import { resultsOf } from './results.test-support.js';

const aFailure = { code: 'LAB_OPEN', message: 'no namespaces here' };

describe('the outcome of a run', () => {
  it('is 0 when some passed and all others were skipped', () => {
    expect(exitCodeOf(resultsOf(['passed', 'skipped']))).to.equal(0);
  });

  it('is 1 when a test failed, also beside errors and missing records', () => {
    expect(exitCodeOf(resultsOf(['passed', 'failed']))).to.equal(1);
    expect(exitCodeOf(resultsOf(['error', 'failed']))).to.equal(1);
    expect(exitCodeOf(resultsOf(['failed'], { planned: 3 }))).to.equal(1);
  });

  it('is 3 for an error, a lab that could not be built, no record, and too few records', () => {
    expect(exitCodeOf(resultsOf(['passed', 'error']))).to.equal(3);
    expect(exitCodeOf(resultsOf([], { planned: 4, failure: aFailure }))).to.equal(3);
    expect(exitCodeOf(resultsOf([], { planned: 4 }))).to.equal(3);
    expect(exitCodeOf(resultsOf([], { planned: 0 }))).to.equal(3);
    expect(exitCodeOf(resultsOf(['passed'], { planned: 2 }))).to.equal(3);
    expect(exitCodeOf(resultsOf(['skipped', 'skipped']))).to.equal(3);
  });

  it('is 130 when interrupted, whatever was found by then', () => {
    expect(exitCodeOf(resultsOf(['failed'], { planned: 2, interrupted: true }))).to.equal(130);
    expect(exitCodeOf(resultsOf([], { planned: 2, interrupted: true }))).to.equal(130);
  });

  it('says what is missing', () => {
    expect(shortfall(resultsOf(['passed']))).to.equal(undefined);
    expect(shortfall(resultsOf(['passed'], { interrupted: true }))).to.equal(undefined);
    expect(shortfall(resultsOf([], { failure: aFailure }))).to.equal(aFailure);
    expect(shortfall(resultsOf(['passed'], { planned: 2 }))?.message).to.equal(
      'only 1 of 2 planned tests have a record',
    );
    expect(shortfall(resultsOf(['passed'], { planned: 2, interrupted: true }))?.code).to.equal('INTERRUPTED');
    const ended = { planned: 3, endedAfter: 'A1.2' };
    expect(shortfall(resultsOf(['passed', 'failed'], ended)), 'ended as asked').to.equal(undefined);
    expect(exitCodeOf(resultsOf(['passed', 'failed'], ended))).to.equal(1);
    expect(exitCodeOf(resultsOf(['passed', 'error'], ended))).to.equal(3);
    expect(shortfall(resultsOf(['passed'], ended))?.code, 'no test that did not pass').to.equal('NO_EVIDENCE');
  });

  it('is 3 for a record that stands in place of another, is another run’s, or says that nothing was asserted', () => {
    const copied = resultsOf(['passed', 'passed']);
    copied.records[1]!.number = 1;
    expect(shortfall(copied)?.message).to.equal('only 1 of 2 planned tests have a record');
    const foreign = resultsOf(['passed', 'passed'], { planned: 1 });
    expect(shortfall(foreign)?.message).to.equal('1 more records than the 1 planned tests');
    const empty = resultsOf(['skipped', 'passed']);
    empty.records[1]!.assertions = 0;
    expect(shortfall(empty)?.message).to.equal('A1.2 is said to have passed, and has asserted nothing');
    for (const results of [copied, foreign, empty]) {
      expect(shortfall(results)?.code).to.equal('NO_EVIDENCE');
      expect(exitCodeOf(results)).to.equal(3);
    }
  });

  it('counts errors as failed in the summary line', () => {
    expect(summaryLine(resultsOf(['passed', 'failed', 'error', 'skipped']).records)).to.equal(
      '1 passed, 2 failed, 1 skipped',
    );
    expect(summaryLine([])).to.equal('0 passed, 0 failed, 0 skipped');
  });
});
