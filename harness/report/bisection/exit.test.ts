import { expect } from 'chai';
import { type ErrorCode, errorCodes, MacvlabError } from '../../core/error.js';
import { bisectExitOf, bisectExitOfError, isForBisect } from './exit.js';
import { aRecord, resultsOf } from '../run/results.test-support.js';

const aPanic = { code: 'KERNEL_PANIC', message: 'the kernel of guest panicked: VFS: Unable to mount root fs' };

describe('what git bisect is told', () => {
  const exitOf = (...given: Parameters<typeof resultsOf>) => bisectExitOf(resultsOf(...given)).exit;

  it('good (0) only when all that were planned have passed', () => {
    expect(exitOf(['passed'])).to.equal(0);
    expect(exitOf(['passed', 'passed'])).to.equal(0);
    expect(exitOf(['passed'], { planned: 2 })).to.equal(125);
  });

  it('bad (1) when one failed, whatever became of the others', () => {
    expect(exitOf(['failed'])).to.equal(1);
    expect(exitOf(['passed', 'failed'])).to.equal(1);
    expect(exitOf(['skipped', 'failed'])).to.equal(1);
    expect(exitOf(['error', 'failed'])).to.equal(1);
    expect(exitOf(['failed'], { planned: 4 })).to.equal(1);
    expect(exitOf(['failed'], { failure: aPanic })).to.equal(1);
  });

  it('bad (1) for a kernel that panics or reports a bug of its own during an experiment', () => {
    for (const code of ['KERNEL_PANIC', 'KERNEL_DEFECT']) {
      const { run, folder } = resultsOf(['failed']);
      const records = [aRecord({ verdict: 'failed', failure: { code, message: 'BUG' } })];
      expect(bisectExitOf({ run, folder, records }).exit).to.equal(1);
    }
  });

  it('cannot tell (125) when something was skipped or ended in error, also beside others that passed', () => {
    expect(exitOf(['skipped'])).to.equal(125);
    expect(exitOf(['passed', 'skipped'])).to.equal(125);
    expect(exitOf(['error'])).to.equal(125);
    expect(exitOf(['passed', 'error'])).to.equal(125);
  });

  it('cannot tell (125) when no lab was built, the kernel did not boot, or nothing was performed', () => {
    for (const code of ['LAB_OPEN', 'KERNEL_UNKNOWN', 'KERNEL_UNSUITABLE', 'GUEST_START', 'KERNEL_PANIC', 'INTERNAL'])
      expect(exitOf([], { planned: 4, failure: { code, message: 'no lab' } }), code).to.equal(125);
    expect(exitOf([], { planned: 4 })).to.equal(125);
    expect(exitOf([], { planned: 0 })).to.equal(125);
  });

  it('cannot tell (125) when all passed, and the kernel complained afterwards', () => {
    expect(exitOf(['passed'], { failure: { code: 'KERNEL_DEFECT', message: 'BUG' } })).to.equal(125);
  });

  it('130, which ends the bisection, when it was interrupted', () => {
    expect(exitOf(['passed'], { interrupted: true })).to.equal(130);
    expect(exitOf(['failed'], { interrupted: true })).to.equal(130);
    expect(exitOf([], { planned: 3, interrupted: true })).to.equal(130);
  });

  it('says why', () => {
    const words = (...given: Parameters<typeof resultsOf>) => bisectExitOf(resultsOf(...given)).words;
    expect(words(['passed', 'passed'])).to.equal('good: 2 experiments passed');
    expect(words(['passed', 'failed', 'skipped'])).to.equal('bad: 1 of 3 experiments failed');
    expect(words(['passed', 'skipped', 'error'])).to.match(
      /^cannot tell, skip it: A1\.2 .* was skipped \(and 1 more\)$/,
    );
    expect(words([], { planned: 2, failure: aPanic })).to.equal(`cannot tell, skip it: ${aPanic.message}`);
  });

  it('of an error: wrong usage ends the bisection (128), an interruption too (130), no other accuses the kernel (125)', () => {
    for (const [code, { exit }] of Object.entries(errorCodes)) {
      const error = new MacvlabError(code as ErrorCode, 'it went wrong', { next: 'mend it' });
      expect(bisectExitOfError(error), code).to.equal({ 2: 128, 3: 125, 130: 130 }[exit]);
    }
    for (const thrown of [new TypeError('x is undefined'), 'a string', undefined])
      expect(bisectExitOfError(thrown)).to.equal(125);
  });

  it('only where the command line says so, well spelt or not', () => {
    expect(isForBisect(['run', '--kernel', '.', '--bisect', 'A1.3'])).to.equal(true);
    expect(isForBisect(['run', '--bisct'])).to.equal(true);
    expect(isForBisect(['run', '-bisect'])).to.equal(true);
    expect(isForBisect(['run', '--bisect=yes'])).to.equal(true);
    expect(isForBisect(['bisect', '--good', '6.1', '--bail'])).to.equal(false);
  });
});
