import { Writable } from 'node:stream';
import { expect } from 'chai';
import { type Shown, TestProgress } from './progress.js';
import type { Job } from './schedule.js';

class Screen extends Writable {
  text = '';
  isTTY?: boolean;
  columns?: number;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const job = (name: string, expected?: number): Job<Shown> => ({
  ...{ name, lane: 'guest', expected },
  run: () => Promise.reject(new Error('not run here')),
});

const good: Shown = { counts: { passed: 3, failed: 0, skipped: 1 }, problems: [], output: '' };
const bad: Shown = { counts: { passed: 0, failed: 1, skipped: 0 }, problems: ['x: no frame'], output: 'stack\n' };

function shown(out: Screen, [first, second]: [Job<Shown>, Job<Shown>]): string {
  const progress = new TestProgress(out, false, [first, second]);
  progress.began(first);
  progress.ended(first, good, 1200);
  progress.began(second);
  progress.ended(second, bad, 3000);
  progress.end();
  return out.text;
}

describe('what npm test shows', () => {
  it('without a terminal: a line for each job that ends, with the remaining time, and the slowest at the end', () => {
    expect(shown(new Screen(), [job('a.test.ts', 60_000), job('b.test.ts', 30_000)]).split('\n')).to.deep.equal([
      '2 test files and programs, about 1 min 30 s left',
      '1/2 ok a.test.ts: 3 passed, 0 failed, 1 skipped (1.2 s), about 30.0 s left',
      '2/2 FAILED b.test.ts: 0 passed, 1 failed, 0 skipped (3.0 s)',
      'stack',
      '  x: no frame',
      'slowest:',
      '         3.0 s  b.test.ts',
      '         1.2 s  a.test.ts',
      '',
    ]);
  });

  it('without known durations: no remaining time', () => {
    expect(shown(new Screen(), [job('a'), job('b')])).not.to.include('left');
  });

  it('on a terminal: a status line with what runs and how much failed; only failures stay', () => {
    const screen = new Screen();
    Object.assign(screen, { isTTY: true, columns: 60 });
    const text = shown(screen, [job('a'), job('b')]);
    expect(text).to.include('\r\u001b[K0/2: a');
    expect(text).to.include('\r\u001b[K1/2: b');
    expect(text).not.to.include('ok a');
    expect(text).to.include('FAILED b: 0 passed');
  });
});
