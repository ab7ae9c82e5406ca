import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { MatrixKernel } from '../../matrix/record.js';
import { MatrixProgress } from './progress.js';
import { aRecord } from '../run/results.test-support.js';

class Screen extends Writable {
  written = '';
  columns?: number;
  isTTY?: boolean;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

const kernel = (name: string): MatrixKernel => {
  const release = `${name}.1-cloud-amd64`;
  return { name, spec: `${name}.1-1`, version: `${name}.1`, release, slot: name };
};
const [older, newer] = [kernel('6.1'), kernel('6.12')];

/** Two kernels in parallel: one runs to its end, a failure ends the other. */
function perform(progress: MatrixProgress): void {
  progress.remark('fetching a kernel');
  progress.kernelStarted(newer, 2);
  progress.kernelStarted(older, 1);
  progress.testEnded(newer, aRecord({ verdict: 'passed' }));
  progress.testEnded(newer, aRecord({ id: 'A1.2', title: 'bridge', verdict: 'failed', reason: 'no reply\nat all' }));
  progress.kernelEnded(newer, undefined);
  progress.kernelEnded(older, { code: 'GUEST_START', message: 'the guest\ndid not boot' });
  progress.end();
}

const withoutTimes = (text: string) => text.replace(/\([\d.]+ m?s\)/g, '(time)');

const lines = [
  'fetching a kernel',
  '6.12: 2 experiments on 6.12.1-cloud-amd64',
  '6.1: 1 experiment on 6.1.1-cloud-amd64',
  '6.12: FAILED A1.2 bridge: no reply at all',
  '6.12: 1 passed, 1 failed, 0 skipped (time)',
  '6.1: ERROR the guest did not boot',
  '6.1: 0 passed, 0 failed, 0 skipped, 1 not performed (time)',
];

describe('the progress of a matrix', () => {
  it('is, in a log, a line for each kernel’s beginning and end, and for what did not pass', () => {
    const screen = new Screen();
    perform(new MatrixProgress(screen, false));
    expect(withoutTimes(screen.written).split('\n')).to.deep.equal([...lines, '']);
  });

  it('is, on a terminal, also one status line of all kernels that are going on, which leaves nothing behind', () => {
    const screen = new Screen();
    screen.isTTY = true;
    perform(new MatrixProgress(screen, false));
    const written = withoutTimes(screen.written).split('\r\u001b[K');
    expect(written.filter((text) => text.endsWith('\n')).join('')).to.equal(lines.map((line) => `${line}\n`).join(''));
    expect(written.filter((text) => text !== '' && !text.endsWith('\n'))).to.deep.equal([
      '6.12 0/2',
      '6.12 0/2 · 6.1 0/1',
      '6.12 1/2 · 6.1 0/1',
      '6.12 2/2 · 6.1 0/1',
      '6.1 0/1',
    ]);
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    expect(screen.written).to.match(/(?:\u001b\[K|\n)$/);
  });

  it('never fills the terminal to its last column', () => {
    const screen = new Screen();
    Object.assign(screen, { isTTY: true, columns: 20 });
    const progress = new MatrixProgress(screen, false);
    for (let index = 0; index < 9; index++) progress.kernelStarted(kernel(`6.${index}`), 85);
    const status = screen.written.split('\r\u001b[K').at(-1);
    expect(status).to.equal('6.0 0/85 · 6.1 0/8…');
  });

  it('shows nothing that a terminal would obey', () => {
    const screen = new Screen();
    screen.isTTY = true;
    const progress = new MatrixProgress(screen, false);
    const evil = 'a\u001b[2Jb\u0007\r\nc';
    const named = { ...kernel(evil), release: evil };
    progress.remark(evil);
    progress.kernelStarted(named, 1);
    progress.testEnded(named, aRecord({ id: evil, title: evil, verdict: 'error', reason: evil }));
    progress.kernelEnded(named, { code: 'LAB_OPEN', message: evil });
    progress.end();
    const shown = screen.written.replaceAll('\r\u001b[K', '');
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    expect(shown).to.not.match(/[\u0000-\u0009\u000b-\u001f]/);
    expect(shown.split('\n').filter((line) => line.includes('[2J'))).to.deep.equal([]);
  });

  it('has colours where they are wanted', () => {
    const screen = new Screen();
    perform(new MatrixProgress(screen, true));
    expect(screen.written).to.include('\u001b[31mFAILED\u001b[39m');
  });
});
