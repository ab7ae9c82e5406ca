import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { needsRoot } from '../setup/needs.test-support.js';
import { type ApartOptions, runApart } from './apart.js';
import type { Fate } from './apart.test-support.js';

describe('a run apart', function apart() {
  this.timeout(60_000);
  let out: string;
  let events: string[];
  let pid: number;
  let noted: unknown;
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'macvlab-apart-'));
    [events, pid, noted] = [[], 0, undefined];
  });
  afterEach(() => {
    expect(existsSync(`/proc/${pid}`), 'the process of the run').to.equal(false);
    rmSync(out, { recursive: true });
  });

  const run = (fate: Fate, { filters = ['A0.1'], ...options }: Partial<ApartOptions> & { filters?: string[] } = {}) =>
    runApart(
      {
        plan: { ...{ filters, out, lab: 'sandbox', jobs: 1 }, bail: false, keep: 'never', arguments: ['a', 'test'] },
        setting: { module: new URL('./apart.test-support.js', import.meta.url).href, data: fate },
      },
      {
        ...{ what: 'a test', signal: new AbortController().signal },
        notes: (notes) => (noted = notes),
        ...options,
        listener: {
          remark: (line) => void (pid = Number(/^process (\d+)$/.exec(line)?.[1] ?? pid)),
          begin: (_, total) => void events.push(`begin ${total}`),
          testStarted: (_, number) => void events.push(`started ${number}`),
          testEnded: ({ verdict }) => void events.push(verdict),
          end: () => void events.push('end'),
          ...options.listener,
        },
      },
    );
  const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'nothing',
      (error: unknown) => error,
    );

  it('the experiments run there: results, events and notes arrive here (needs root)', async function () {
    needsRoot(this);
    const { records, run: record, kept, folder } = await run('lives');
    expect(records.map(({ verdict }) => verdict)).to.deep.equal(
      ['passed', 'passed', 'passed'].slice(0, record.planned),
    );
    expect(events).to.deep.equal([
      `begin ${record.planned}`,
      ...records.flatMap(({ number }) => [`started ${number}`, 'passed']),
      'end',
    ]);
    expect(record).to.deep.include({ arguments: ['a', 'test'], interrupted: false });
    expect([kept, noted]).to.deep.equal([[], { fate: 'lives' }]);
    expect(existsSync(join(folder, 'run.json'))).to.equal(true);
  });

  it('no lab can be opened: that is a result', async () => {
    const { records, run: record } = await run('cannot begin');
    expect(records).to.deep.equal([]);
    expect(record.failure).to.deep.equal({ code: 'LAB_OPEN', message: 'no lab today', details: 'why', next: 'wait' });
  });

  it('the run cannot begin: its error is thrown here, with its notes', async () => {
    const error = await failureOf(run('lives', { filters: ['no such experiment'] }));
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'USAGE' });
    expect(noted).to.deep.equal({ fate: 'lives' });
  });

  it('the setting has a bug: that is thrown here, with its stack', async () => {
    const error = await failureOf(run('has a bug'));
    expect(error).to.be.instanceOf(Error).and.not.instanceOf(MacvlabError);
    expect(error).to.have.property('message', 'a bug of a setting');
    expect(error)
      .to.have.property('stack')
      .that.matches(/TypeError: .*\n.*apart\.test-support\.js/);
  });

  it('the process is killed: an error with the signal and the end of its stderr', async () => {
    const error = await failureOf(run('is killed', { next: 'look there' }));
    expect(error).to.be.instanceOf(MacvlabError);
    expect(error).to.deep.include({ code: 'WORKER_DIED', evidence: 'last words', next: 'look there' });
    expect((error as Error).message).to.equal('the process that performed a test ended by itself with SIGKILL');
  });

  it('the process is killed in a test: what it had reported by then is here (needs root)', async function () {
    needsRoot(this);
    expect(await failureOf(run('is killed in a test'))).to.include({ code: 'WORKER_DIED' });
    expect(events[0]).to.match(/^begin/);
    expect(events).to.not.include('end');
  });

  it('aborted in a test: the run ends in order, and its results are here (needs root)', async function () {
    needsRoot(this);
    const interruption = new AbortController();
    const reason = new MacvlabError('INTERRUPTED', 'enough', { next: 'nothing' });
    const { run: record, records } = await run('lives', {
      ...{ filters: ['A1'], signal: interruption.signal },
      listener: { testEnded: () => interruption.abort(reason) },
    });
    expect(record.interrupted).to.equal(true);
    expect(records.length).to.be.within(1, record.planned - 1);
  });

  it('aborted in a test of a run that is killed then: the reason is thrown when its process is gone (needs root)', async function () {
    needsRoot(this);
    const interruption = new AbortController();
    const reason = new MacvlabError('INTERRUPTED', 'enough', { next: 'nothing' });
    const ending = run('lives', {
      ...{ filters: ['A1'], signal: interruption.signal, whenAborted: 'kill' },
      listener: { testStarted: () => interruption.abort(reason) },
    });
    expect(await failureOf(ending)).to.equal(reason);
  });

  it('aborted before: nothing is begun', async () => {
    expect(await failureOf(run('lives', { signal: AbortSignal.abort('never') }))).to.equal('never');
    expect(pid).to.equal(0);
  });
});
