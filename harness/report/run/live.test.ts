import { Writable } from 'node:stream';
import xterm from '@xterm/headless';
import { expect } from 'chai';
import { within } from '../../core/wait.js';
import type { Output } from '../status-line.js';
import { LiveProgress, progressOn } from './live.js';
import { LineProgress } from './progress.js';
import { aRecord, aRun } from './results.test-support.js';

/** A terminal that shows what is written to it. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly #terminal: xterm.Terminal;

  constructor(readonly columns = 80) {
    super();
    this.#terminal = new xterm.Terminal({ cols: columns, rows: 24, allowProposedApi: true, convertEol: true });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#terminal.write(chunk, done);
  }

  /** The lines on it, without empty ones at the end. */
  async lines(): Promise<string[]> {
    await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    const { active } = this.#terminal.buffer;
    const all = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? '');
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  }
}

const opening = 'run 20261121-081500-4f2a: 85 tests, lab sandbox, kernel 6.1.0';

describe('the live view of a run', () => {
  let progress: LiveProgress | undefined;
  afterEach(() => progress?.end());

  function begun(screen: Output): LiveProgress {
    progress = new LiveProgress(screen, false);
    progress.begin(aRun(), 85);
    return progress;
  }

  it('shows the counts, and what runs in each lab', async () => {
    const screen = new Screen();
    const view = begun(screen);
    view.testStarted('A1.1 the default mode', 1, 'sandbox 1');
    view.testStarted('A2.3 a trunk', 130, 'vm 1');
    view.testEnded(aRecord({ number: 1, id: 'A1.1' }));
    view.testStarted('A1.2 bridge', 2, 'sandbox 1');
    const [first, summary, ...labs] = await screen.lines();
    expect(first).to.equal(opening);
    expect(summary).to.match(/^1 of 85: 1 passed; \d+ ms$/);
    expect(labs.toSorted()).to.have.lengthOf(2);
    expect(labs.toSorted()[0]).to.match(/^sandbox 1 +\d+ ms +A1\.2 bridge$/);
    expect(labs.toSorted()[1]).to.match(/^vm 1 +\d+ ms +A2\.3 a trunk$/);
  });

  it('prints failures and remarks above it, once', async () => {
    const screen = new Screen();
    const view = begun(screen);
    view.testStarted('A1.2 bridge', 2, 'sandbox 1');
    view.testEnded(aRecord({ number: 2, id: 'A1.2', title: 'bridge', verdict: 'failed', reason: 'no reply\nat all' }));
    view.remark('a remark\u001b[2J');
    view.testStarted('A1.3 hairpin', 3, 'sandbox 1');
    expect((await screen.lines()).slice(0, 4)).to.deep.equal([
      opening,
      'FAILED A1.2 bridge (34 ms)',
      '  no reply at all',
      'a remark',
    ]);
    expect((await screen.lines()).slice(4).join('\n')).to.match(/^1 of 85: 1 failed; .*\nsandbox 1 .*A1\.3 hairpin$/);
  });

  it('estimates the time left when several tests have ended', async () => {
    const screen = new Screen();
    const view = begun(screen);
    for (let number = 1; number <= 5; number++) {
      view.testStarted(`A1.${number} title`, number, 'sandbox 1');
      view.testEnded(aRecord({ number }));
    }
    view.testStarted('A1.6 title', 6, 'sandbox 1');
    expect((await screen.lines())[1]).to.match(/^5 of 85: 5 passed; .*, about .* left$/);
  });

  it('shows the innermost of the long waits', async () => {
    const screen = new Screen();
    const view = begun(screen);
    const { promise, resolve } = deferred();
    const outer = within(promise, { what: 'A1.1 to end', deadline: 10_000 });
    const inner = within(promise, { what: 'a frame\nat node1/eth1', deadline: 10_000 });
    const short = screen.lines();
    expect((await short).join('\n')).to.not.include('waits');
    // As if it had begun long ago.
    const now = performance.now.bind(performance);
    performance.now = () => now() + 3000;
    try {
      view.testStarted('A1.1 title', 1, 'sandbox 1');
    } finally {
      performance.now = now;
    }
    resolve();
    await Promise.all([outer, inner]);
    expect((await screen.lines()).at(-1)).to.match(/^waits 3\.\d s for a frame at node1\/eth1$/);
  });

  it('never fills the terminal to its last column, and leaves nothing at its end', async () => {
    const screen = new Screen(30);
    const view = begun(screen);
    view.testStarted('A1.1 a title that is longer than the terminal is wide', 1, 'sandbox 1');
    const lines = await screen.lines();
    expect(lines.at(-1)).to.match(/…$/).and.to.have.lengthOf(29);
    view.end();
    expect((await screen.lines()).join('')).to.equal(opening);
  });

  it('beside another process on the terminal: one line, so that lines of the other stay', async () => {
    const screen = new Screen();
    const view = progressOn(screen, false, true);
    try {
      view.begin(aRun(), 85);
      view.testStarted('A1.1 the default mode', 1, 'sandbox 1');
      screen.write('\r\u001b[Kmacvlab: kernel: 50 %\n');
      view.testStarted('A2.3 a trunk', 130, 'vm 1');
      view.remark('a remark');
      const lines = await screen.lines();
      expect(lines.slice(0, 3)).to.deep.equal([opening, 'macvlab: kernel: 50 %', 'a remark']);
      expect(lines.slice(3).join()).to.match(/^0 of 85: none yet; .*sandbox 1 .*A1\.1 the default mode/);
    } finally {
      view.end();
    }
  });

  it('is for terminals', () => {
    expect(progressOn(new Writable(), false)).to.be.instanceOf(LineProgress);
    const view = progressOn(new Screen(), false);
    expect(view).to.be.instanceOf(LiveProgress);
    view.end();
  });
});

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
