import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { RunListener } from '../../run/plan.js';
import { LineProgress } from './progress.js';
import { aRecord, aRun } from './results.test-support.js';

class Screen extends Writable {
  written = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

function perform(progress: RunListener): void {
  progress.begin(aRun(), 85);
  progress.testStarted('A1.1 the default mode is vepa', 1, 'sandbox 1');
  progress.testEnded(aRecord({ id: 'A1.1', title: 'the default mode is vepa' }));
  progress.testStarted('A1.2 bridge', 2, 'sandbox 1');
  progress.testEnded(
    aRecord({ number: 2, id: 'A1.2', title: 'bridge', verdict: 'failed', reason: 'no reply\nat all' }),
  );
  progress.testStarted('A1.3 hairpin', 3, 'sandbox 1');
  progress.testEnded(aRecord({ number: 3, id: 'A1.3', title: 'hairpin', verdict: 'skipped', reason: 'no hairpin' }));
  progress.end();
}

describe('progress', () => {
  it('writes one line per test to a log, with reasons', () => {
    const screen = new Screen();
    perform(new LineProgress(screen, false));
    expect(screen.written.split('\n')).to.deep.equal([
      'run 20261121-081500-4f2a: 85 tests, lab sandbox, kernel 6.1.0',
      'ok A1.1 the default mode is vepa (34 ms)',
      'FAILED A1.2 bridge (34 ms)',
      '  no reply at all',
      'skipped A1.3 hairpin (34 ms)',
      '  no hairpin',
      '',
    ]);
  });

  it('an experiment that ran twice: the reason is below its line, also when it passed', () => {
    const screen = new Screen();
    new LineProgress(screen, false).testEnded(aRecord({ id: 'A1.1', title: 'bridge', repeated: 'the clock was set' }));
    expect(screen.written).to.equal('ok A1.1 bridge (34 ms)\n  ran twice: the clock was set\n');
  });
});
