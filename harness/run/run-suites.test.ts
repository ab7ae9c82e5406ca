import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readRun } from './read-run.js';
import { runInLabs, type RunOutcome, type Trait } from './run-suites.test-support.js';
import { needsRoot } from '../setup/needs.test-support.js';

/**
 * Tests which lab runs a suite, and the result if no lab can carry it. It uses real labs, of which one has fewer
 * features. A1.1 needs no feature, X2.6 needs IPv6; they are in different files.
 */
describe('performing a run (needs root)', function performing() {
  this.timeout(60_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-perform-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  const run = (labs: Readonly<Record<string, Trait>>, filters = ['A1.1', 'X2.6']) => runInLabs({ filters, out, labs });

  /** "A1.1 passed cheap" for each test, in order, without repetitions. */
  const verdicts = ({ records }: RunOutcome) => [
    ...new Set(records.map(({ id, verdict, lab }) => `${id} ${verdict} ${lab}`)),
  ];
  const skipped = ({ records }: RunOutcome) => records.find(({ verdict }) => verdict === 'skipped')?.reason;
  const lacking = ({ records }: RunOutcome) => records.find(({ verdict }) => verdict === 'skipped')?.lacks;

  it('in the cheapest lab that can carry each suite', async () => {
    const outcome = await run({ cheap: 'no IPv6', costly: 'plain' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap', 'X2.6 passed costly']);
    expect(outcome.run.failure).to.equal(undefined);
    expect(outcome.records.map(({ number }) => number)).to.deep.equal(outcome.records.map((_, index) => index + 1));
  });

  it('in the cheapest lab alone, where that can carry all', async () => {
    const outcome = await run({ cheap: 'plain', costly: 'broken' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap', 'X2.6 passed cheap']);
    expect(new Set(outcome.opened)).to.deep.equal(new Set(['cheap']));
    expect(outcome.run.failure).to.equal(undefined);
  });

  it('skips what the only lab cannot carry', async () => {
    const outcome = await run({ cheap: 'no IPv6' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap', 'X2.6 skipped cheap']);
    expect(skipped(outcome)).to.equal('the kernel has no IPv6 (CONFIG_IPV6, or ipv6.disable=1)');
    expect(lacking(outcome)).to.equal('feature');
  });

  it('skips what a lab could carry that something is missing for, and says how to get it', async () => {
    const outcome = await run({ cheap: 'no IPv6', costly: 'not installed' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap', 'X2.6 skipped cheap']);
    expect(skipped(outcome)).to.equal(
      'the kernel has no IPv6 (CONFIG_IPV6, or ipv6.disable=1); a costly lab could carry it, but a thing is missing: get a thing',
    );
    expect(outcome.opened).to.not.include('costly');
    expect(outcome.run.failure).to.equal(undefined);
  });

  it('skips what a lab could carry that cannot be prepared, and says why', async () => {
    const outcome = await run({ cheap: 'no IPv6', costly: 'unprepared' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap', 'X2.6 skipped cheap']);
    expect(skipped(outcome)).to.match(/a costly lab could carry it, but no kernel for costly: look for one$/);
    expect(lacking(outcome)).to.equal('lab');
    expect(outcome.remarks.join('\n')).to.match(/there is no costly lab: no kernel for costly/);
    expect(outcome.opened).to.not.include('costly');
    expect(outcome.run.failure).to.equal(undefined);
  });

  it('fails for what is handed on to a lab that cannot be opened, and performs the rest', async () => {
    const outcome = await run({ cheap: 'no IPv6', costly: 'broken' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed cheap']);
    expect(outcome.run.failure).to.include({ code: 'LAB_OPEN', message: 'costly is broken', next: 'mend costly' });
  });

  it('all in the next lab where the cheapest cannot be opened, which is said', async () => {
    const outcome = await run({ cheap: 'broken', costly: 'plain' });
    expect(verdicts(outcome)).to.deep.equal(['A1.1 passed costly', 'X2.6 passed costly']);
    expect(outcome.remarks.join('\n')).to.include('there is no cheap lab: cheap is broken');
    expect(outcome.run.failure).to.equal(undefined);
  });

  it('fails where no lab can be opened, for what the last one has said', async () => {
    const outcome = await run({ cheap: 'broken', costly: 'broken' });
    expect(outcome.records).to.deep.equal([]);
    expect(outcome.run.failure).to.include({ code: 'LAB_OPEN', message: 'costly is broken' });
  });

  it('fails for what the cheapest lab has said where the next is not installed', async () => {
    const outcome = await run({ cheap: 'broken', costly: 'not installed' });
    expect(outcome.records).to.deep.equal([]);
    expect(outcome.run.failure).to.include({ code: 'LAB_OPEN', message: 'cheap is broken' });
    expect(outcome.opened).to.not.include('costly');
  });

  it('with a new lab for the next file when one has died; the tests of the file that it died in are errors', async () => {
    const outcome = await run({ cheap: 'mortal' }, ['X2', 'A1.1']);
    const { records } = outcome;
    expect(outcome.opened).to.deep.equal(['cheap', 'cheap']);
    // The file with the most experiments comes first. Its lab ends while the first of them begins.
    const inFile = records.filter(({ id }) => id.startsWith('X2'));
    inFile.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    for (const record of inFile) expect(record, record.title).to.include({ verdict: 'error', assertions: 0 });
    const [, ...later] = inFile;
    expect(later).to.not.be.empty;
    for (const record of later) expect(record.failure?.code, record.title).to.equal('LAB_DAMAGED');
    const others = records.filter(({ id }) => id === 'A1.1');
    expect(others).to.not.be.empty;
    for (const record of others) expect(record.verdict, record.reason).to.equal('passed');
    expect(outcome.run.failure).to.equal(undefined);
  });

  it('a lab that has died cannot be ended: the file that it was to perform next is performed in another', async () => {
    const filters = ['X2', 'A1.1', 'A3'];
    const outcome = await runInLabs({ filters, out, labs: { one: 'stuck' }, jobs: 2 });
    expect(outcome.run.failure).to.include({ code: 'INTERNAL', message: 'the lab is stuck' });
    expect(outcome.records).to.have.lengthOf(outcome.run.planned);
    const verdictsOf = (article: string) =>
      new Set(outcome.records.filter(({ id }) => id.startsWith(article)).map(({ verdict }) => verdict));
    expect([...verdictsOf('A3'), ...verdictsOf('A1.1')].filter((verdict) => verdict !== 'passed')).to.have.lengthOf(0);
  });

  it('an exception that nothing catches: the experiments under way are errors, no other begins, and the run fails', async () => {
    const { run: record, records } = await runInLabs({ filters: ['A1.1'], out, labs: { one: 'plain' }, stray: true });
    expect(record.failure).to.include({ code: 'INTERNAL', message: 'nothing catches this' });
    expect(records.map(({ number, verdict }) => [number, verdict])).to.deep.equal([[1, 'error']]);
    expect(records[0]?.reason).to.equal('an exception was thrown where nothing catches it: nothing catches this');
  });

  describe('with features probed', () => {
    const probed = (trait: Trait) => runInLabs({ filters: ['A1.1'], out, labs: { one: trait }, probeFeatures: true });
    const notPassed = ({ records }: RunOutcome) => records.filter(({ verdict }) => verdict !== 'passed');

    it('tells them in its record, and of them in one line; its experiments are the same', async () => {
      const outcome = await probed('plain');
      const { features = [], failure } = outcome.run;
      expect(features.find(({ name }) => name === 'mode bridge')).to.deep.equal({
        ...{ group: 'macvlan', name: 'mode bridge', state: 'supported', words: 'reads back as bridge' },
      });
      expect(outcome.remarks.join('\n')).to.match(/^features of \S+: \d+ supported, .*\(see run\.json\)$/m);
      expect(outcome.records).to.not.be.empty;
      expect(notPassed(outcome)).to.deep.equal([]);
      expect(failure).to.equal(undefined);
      expect((await readRun(join(out, outcome.run.id))).run.features).to.deep.equal(features);
    });

    it('fails where the lab does not survive that; its experiments are performed in a new one', async () => {
      const outcome = await probed('full');
      expect(outcome.opened).to.deep.equal(['one', 'one']);
      expect(outcome.run.failure?.code).to.equal('LINK_REFUSED');
      expect(outcome.run.failure?.message).to.match(/^while features were probed: .*add namespace/);
      expect(outcome.run).to.not.have.property('features');
      expect(outcome.records).to.not.be.empty;
      expect(notPassed(outcome)).to.deep.equal([]);
    });
  });

  it('probes nothing unless it is asked to', async () => {
    expect((await run({ cheap: 'plain' }, ['A1.1'])).run).to.not.have.property('features');
  });
});
