import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { RunListener } from '../../run/plan.js';
import type { Output } from '../status-line.js';
import { LineProgress, StatusProgress, progressOn } from './progress.js';
import { aRecord, aRun } from './results.test-support.js';

class Screen extends Writable {
  written = '';
  columns?: number;
  isTTY?: boolean;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

function perform(progress: RunListener): void {
  progress.begin(aRun(), 85);
  progress.testStarted('A1.1 the default mode is vepa', 1);
  progress.testEnded(aRecord({ id: 'A1.1', title: 'the default mode is vepa' }));
  progress.testStarted('A1.2 bridge', 2);
  progress.testEnded(
    aRecord({ number: 2, id: 'A1.2', title: 'bridge', verdict: 'failed', reason: 'no reply\nat all' }),
  );
  progress.testStarted('A1.3 hairpin', 3);
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

  it('keeps one status line on a terminal, and prints failures above it', () => {
    const screen = new Screen();
    screen.isTTY = true;
    perform(new StatusProgress(screen, false));
    expect(screen.written.split('\r\u001b[K')).to.deep.equal([
      'run 20261121-081500-4f2a: 85 tests, lab sandbox, kernel 6.1.0\n',
      '1/85 A1.1 the default mode is vepa …',
      '2/85 A1.2 bridge …',
      'FAILED A1.2 bridge (34 ms)\n  no reply at all\n',
      '2/85 A1.2 bridge …',
      '3/85 A1.3 hairpin …',
      '',
    ]);
  });

  it('counts what was begun, in whatever order labs side by side begin it', () => {
    const screen = new Screen();
    screen.isTTY = true;
    const progress: RunListener = new StatusProgress(screen, false);
    for (const number of [1, 130, 36]) progress.testStarted(`A1.${number} title`, number);
    expect(screen.written.split('\r\u001b[K').slice(1)).to.deep.equal(
      ['1/0 A1.1', '2/0 A1.130', '3/0 A1.36'].map((start) => `${start} title …`),
    );
  });

  it('never fills the terminal to its last column', () => {
    const screen = new Screen();
    Object.assign(screen, { isTTY: true, columns: 20 });
    const progress = new StatusProgress(screen, false);
    progress.testStarted('A1.1 a title that is longer than the terminal is wide');
    expect(screen.written.replace('\r\u001b[K', '').length).to.equal(19);
  });

  it('suits the output', () => {
    const screen: Output = new Screen();
    expect(progressOn(screen, false)).to.be.instanceOf(LineProgress);
    screen.isTTY = true;
    expect(progressOn(screen, false)).to.be.instanceOf(StatusProgress);
  });
});
