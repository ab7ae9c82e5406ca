import { expect } from 'chai';
import type { TestRecord } from '../../run/record.js';
import { FakeMachine } from '../../setup/fake-machine.test-support.js';
import {
  atLeastOne,
  mutationOutcome,
  fileOutcome,
  hasSparedGuests,
  skipReasons,
  suiteOutcome,
  totalLine,
  totalOutcome,
} from './totals.js';

const counts = { passed: 3, failed: 0, skipped: 1 };

function suites(fake: FakeMachine, verdicts: string[], run: object = {}) {
  fake.write('run.json', JSON.stringify({ planned: verdicts.length, ...run }));
  verdicts.forEach((verdict, number) => {
    const record = { id: `A1.${number}`, title: 'ping', verdict, number, reason: 'no reply' };
    fake.write(`records/00${number}.json`, JSON.stringify(record));
  });
  return suiteOutcome(fake.root);
}

describe('the sum over unit tests and suites', () => {
  it('counts errors as failures, and names both', () => {
    using fake = new FakeMachine();
    const outcome = suites(fake, ['passed', 'passed', 'failed', 'error', 'skipped']);
    expect(outcome).to.deep.equal({
      counts: { passed: 2, failed: 2, skipped: 1 },
      problems: ['A1.2 ping: failed: no reply', 'A1.3 ping: error: no reply'],
    });
  });

  it('is red when planned tests left no record', () => {
    using fake = new FakeMachine();
    fake.write('records/.001.json.77', 'cut sh');
    const outcome = suites(fake, ['passed'], { planned: 3 });
    expect(outcome.counts).to.deep.equal({ passed: 1, failed: 2, skipped: 0 });
    expect(outcome.problems).to.deep.equal(['2 of 3 planned tests left no record']);
  });

  it('is red when a record stands twice, in place of another', () => {
    using fake = new FakeMachine();
    fake.write('records/003.json', JSON.stringify({ verdict: 'passed', number: 1 }));
    const outcome = suites(fake, ['passed', 'passed'], { planned: 3 });
    expect(outcome.problems).to.deep.equal(['1 of 3 planned tests left no record']);
  });

  it('is red when the lab could not be built, nothing was planned or nothing was begun', () => {
    using fake = new FakeMachine();
    expect(suites(fake, [], { failure: { message: 'no root' } }).problems).to.deep.equal([
      'the suites could not be performed: no root',
    ]);
    expect(suites(fake, []).counts.failed).to.equal(1);
    expect(suiteOutcome(undefined).counts.failed).to.equal(1);
  });

  it('is red when tests were skipped for want of a lab, where every lab is promised', () => {
    using fake = new FakeMachine();
    const lacking = ['lab', 'engine', 'feature', undefined];
    fake.write('run.json', JSON.stringify({ planned: 4 }));
    lacking.forEach((lacks, number) =>
      fake.write(`records/00${number}.json`, JSON.stringify({ verdict: 'skipped', reason: 'why', lacks, number })),
    );
    expect(suiteOutcome(fake.root).counts).to.deep.equal({ passed: 0, failed: 0, skipped: 4 });
    const promised = suiteOutcome(fake.root, { everyLab: true });
    expect(promised.counts).to.deep.equal({ passed: 0, failed: 2, skipped: 2 });
    expect(promised.problems).to.deep.equal(['2 tests were skipped for want of a lab: why']);
  });

  it('is red when all was skipped in a lab that is promised', () => {
    const skipped = { counts: { passed: 0, failed: 0, skipped: 2 }, problems: [], exit: 0 };
    const problems = ['all of its tests were skipped'];
    expect(atLeastOne(skipped)).to.deep.equal({ counts: { passed: 0, failed: 1, skipped: 2 }, problems, exit: 0 });
    expect(atLeastOne({ counts, problems: [] })).to.deep.equal({ counts, problems: [] });
  });

  it('knows when guests were spared, although there were experiments on VLANs', () => {
    const spared = (...records: Partial<TestRecord>[]) => {
      using fake = new FakeMachine();
      records.forEach((record, number) => fake.write(`records/00${number}.json`, JSON.stringify(record)));
      return hasSparedGuests(fake.root);
    };
    const modes = { file: 'suites/a1-modes.ts', lab: 'sandbox', verdict: 'passed' } as const;
    const vlans = { file: 'suites/a2-vlans.ts', lab: 'sandbox', verdict: 'passed' } as const;
    expect(spared(modes)).to.equal(false);
    expect(spared(modes, vlans)).to.equal(true);
    expect(spared(modes, { ...vlans, verdict: 'skipped' })).to.equal(true);
    expect(spared(modes, { ...vlans, lab: 'vm', verdict: 'skipped' })).to.equal(true);
    expect(spared(modes, vlans, { ...vlans, lab: 'vm' })).to.equal(false);
    expect(spared({ ...modes, lab: 'vm' }, vlans)).to.equal(false);
    expect(hasSparedGuests(undefined)).to.equal(false);
  });

  it('counts injected faults, of which those that were missed are red', () => {
    using fake = new FakeMachine();
    expect(mutationOutcome(`${fake.root}/none`)).to.deep.equal({
      counts: { passed: 0, failed: 1, skipped: 0 },
      problems: ['the mutation tests left no report'],
    });
    const outcomes = ['caught', 'caught', 'missed', 'not applicable'];
    const findings = outcomes.map((outcome, number) => ({ id: `s/${number}`, outcome, reason: 'all passed' }));
    expect(mutationOutcome(fake.write('mutation.json', JSON.stringify({ findings })))).to.deep.equal({
      counts: { passed: 2, failed: 1, skipped: 1 },
      problems: ['fault s/2 was missed: all passed'],
    });
  });

  it('a file of unit tests: its failures are named, and a file without a test is red', () => {
    const result = { passed: 3, skipped: ['S needs root'], failures: [] };
    expect(fileOutcome('a.test.ts', result)).to.deep.equal({ counts, problems: [] });
    const failures = [{ title: 'a wait ends in time', message: 'it did not\nat line 3' }];
    expect(fileOutcome('a.test.ts', { ...result, failures })).to.deep.equal({
      counts: { ...counts, failed: 1 },
      problems: ['unit test failed: a wait ends in time: it did not'],
    });
    expect(fileOutcome('a.test.ts', { passed: 0, skipped: [], failures: [] })).to.deep.equal({
      counts: { passed: 0, failed: 1, skipped: 0 },
      problems: ['a.test.ts has no test'],
    });
  });

  it('skipped unit tests: a line for each reason', () => {
    const titles = ['a x (skipped: needs root)', 'b (skipped: tshark not installed) y', 'c (skipped: needs root)', 'd'];
    expect(skipReasons(titles)).to.deep.equal([
      '2 skipped: needs root (a x …)',
      '1 skipped: tshark not installed (b y)',
      '1 skipped: no reason given (d)',
    ]);
  });

  it('adds up, and keeps the first exit code that is not 0', () => {
    const unit = { name: 'unit', counts, problems: [], exit: 0 };
    expect(totalOutcome([unit, unit])).to.deep.equal({
      counts: { passed: 6, failed: 0, skipped: 2 },
      problems: [],
      exit: 0,
    });
    const broken = { name: 'suites', counts: { ...counts, failed: 1 }, problems: [], exit: 3 };
    expect(totalOutcome([unit, broken])).to.deep.include({ exit: 3 });
    expect(totalOutcome([{ ...unit, problems: ['none ran'], counts: { ...counts, failed: 1 } }]).exit).to.equal(1);
  });

  it('is red when a program ended badly though its counts are good', () => {
    const outcome = totalOutcome([{ name: 'macvlab run', counts, problems: [], exit: 3 }]);
    expect(outcome.counts.failed).to.equal(1);
    expect(outcome.problems).to.deep.equal(['macvlab run ended with exit code 3, though no test failed']);
  });

  it('is one line', () => {
    expect(totalLine(counts)).to.equal('3 passed, 0 failed, 1 skipped');
  });
});
