import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { needsRoot } from '../setup/needs.test-support.js';
import { runSuites } from './run-suites.js';

/** Several runs in one process could disturb each other through a set-up and its variables. A1.2 and A1.3 share a suite file with both. */
describe('several runs in one process (needs root)', function reentrant() {
  this.timeout(60_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-reentrant-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  async function run(...filters: string[]): Promise<string[]> {
    const listener = { remark() {}, begin() {}, testStarted() {}, testEnded() {}, end() {} };
    const { records, run } = await runSuites(
      {
        ...{ filters, out, lab: 'sandbox', jobs: 1, bail: false, keep: 'never', arguments: [] },
        ...{ signal: new AbortController().signal, listener },
      },
      [sandboxDriver],
    );
    expect(run.failure).to.equal(undefined);
    expect(records.map(({ number }) => number)).to.deep.equal(records.map((_, index) => index + 1));
    expect(records).to.have.lengthOf(run.planned);
    return records.map(({ id, verdict }) => `${id} ${verdict}`);
  }

  it('one after the other: the second has its own choice, and all of the first', async () => {
    const [first, second, third] = [await run('A1.2'), await run('A1.1', 'A1.2'), await run('A1.2')];
    expect(first).to.not.be.empty;
    expect(new Set(first)).to.deep.equal(new Set(['A1.2 passed']));
    expect(new Set(second)).to.deep.equal(new Set(['A1.1 passed', 'A1.2 passed']));
    expect(third).to.deep.equal(first);
  });

  it('side by side: each has its own lab, set-ups and records', async () => {
    const listeners = () => ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event));
    const before = listeners();
    const [one, other] = await Promise.all([run('A1.2', 'A1.3'), run('A1.2', 'A1.3')]);
    expect(one).to.not.be.empty;
    expect(new Set(one)).to.deep.equal(new Set(['A1.2 passed', 'A1.3 passed']));
    expect(other).to.deep.equal(one);
    expect(listeners()).to.deep.equal(before);
  });
});
