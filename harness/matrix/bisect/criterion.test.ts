import { expect } from 'chai';
import type { TestRecord, Verdict } from '../../run/record.js';
import { criteriaOf, judge, type Performed, performedWords } from './criterion.js';

function aRecord(title: string, verdict: Verdict, given: Partial<TestRecord> = {}): TestRecord {
  return {
    ...{
      schema: 2,
      key: `x3-${title}`,
      number: 1,
      id: 'X3.1',
      title,
      suite: 'X',
      file: 'suites/x.ts',
      modes: [],
      verdict,
      observed: {},
    },
    ...{ lab: 'vm', kernel: '6.12', startedAt: '2026-11-21T08:15:00.500Z', durationMs: 1, assertions: 1, frames: 0 },
    ...{ evidence: [] },
    ...given,
  };
}

const kernel = (...records: TestRecord[]): Performed => ({ records });
const copies = (count: number, verdict: Verdict = 'passed') =>
  aRecord('bridge', verdict, { observed: { copies: count } });
const failure = { code: 'KERNEL_FETCH', message: 'the mirror does not answer' };

describe('what tells a good kernel from a bad one', () => {
  it('is the verdict, where that differs', () => {
    const good = kernel(copies(1), aRecord('vepa', 'passed'));
    const bad = kernel(copies(2), aRecord('vepa', 'failed'));
    expect(criteriaOf(good, bad)).to.deep.equal([{ experiment: 'x3-vepa', good: 'passed', bad: 'failed' }]);
    expect(criteriaOf(bad, good)).to.deep.equal([{ experiment: 'x3-vepa', good: 'failed', bad: 'passed' }]);
  });

  it('is the values observed, where all passed; also one that is only there on one of them', () => {
    const bad = kernel(aRecord('bridge', 'passed', { observed: { copies: 2, words: 'EBUSY' } }));
    expect(criteriaOf(kernel(copies(1)), bad)).to.deep.equal([
      { experiment: 'x3-bridge', value: 'copies', good: 1, bad: 2 },
      { experiment: 'x3-bridge', value: 'words', good: null, bad: 'EBUSY' },
    ]);
  });

  it('is nothing, where they do the same, or something was skipped, ended in error or was not performed', () => {
    expect(criteriaOf(kernel(copies(1)), kernel(copies(1)))).to.deep.equal([]);
    expect(criteriaOf(kernel(copies(1, 'failed')), kernel(copies(2, 'failed')))).to.deep.equal([]);
    for (const verdict of ['skipped', 'error'] as const)
      expect(criteriaOf(kernel(copies(1)), kernel(copies(2, verdict)))).to.deep.equal([]);
    expect(criteriaOf(kernel(copies(1)), { records: [], failure })).to.deep.equal([]);
  });
});

describe('which side a kernel is on', () => {
  const byVerdict = criteriaOf(
    kernel(aRecord('one', 'passed'), aRecord('two', 'passed')),
    kernel(aRecord('one', 'failed'), aRecord('two', 'failed')),
  );
  const byValue = criteriaOf(kernel(copies(1)), kernel(copies(2)));

  it('by verdicts: bad as soon as one experiment fails, good when all pass', () => {
    const why = { reason: 'lost at node1' };
    expect(judge(byVerdict, kernel(aRecord('one', 'passed'), aRecord('two', 'failed', why)))).to.deep.equal({
      side: 'bad',
      words: 'failed: lost at node1',
    });
    expect(judge(byVerdict, kernel(aRecord('one', 'error'), aRecord('two', 'failed'))).side).to.equal('bad');
    expect(judge(byVerdict, kernel(aRecord('one', 'passed'), aRecord('two', 'passed')))).to.deep.equal({
      side: 'good',
      words: 'passed',
    });
  });

  it('by a value: bad when it is another than on the good one, whatever it is', () => {
    expect(judge(byValue, kernel(copies(1)))).to.deep.equal({ side: 'good', words: 'copies: 1' });
    expect(judge(byValue, kernel(copies(2)))).to.deep.equal({ side: 'bad', words: 'copies: 2' });
    expect(judge(byValue, kernel(copies(3)))).to.deep.equal({
      side: 'bad',
      words: 'copies: 3, which is as on neither, and counts as bad',
    });
    expect(judge(byValue, kernel(aRecord('bridge', 'passed'))).words).to.match(/^copies: not observed, which is/);
  });

  it('cannot be told from what was skipped, ended in error or was not performed; nor a value from what failed', () => {
    const skipped = aRecord('two', 'skipped', { reason: 'no hairpin' });
    expect(judge(byVerdict, kernel(aRecord('one', 'passed'), skipped))).to.deep.equal({
      side: 'cannot tell',
      words: 'X3.1 was skipped: no hairpin',
    });
    expect(judge(byVerdict, kernel(aRecord('one', 'error'), aRecord('two', 'passed'))).side).to.equal('cannot tell');
    expect(judge(byVerdict, { records: [], failure })).to.deep.equal({ side: 'cannot tell', words: failure.message });
    expect(judge(byValue, kernel(copies(2, 'failed'))).side).to.equal('cannot tell');
    expect(judge(byValue, kernel()).words).to.equal('it was not performed');
  });

  it('is one thing, what became of it as a whole another', () => {
    expect(performedWords(kernel(copies(1), copies(2), copies(1, 'skipped')))).to.equal('2 passed, 1 skipped');
    expect(performedWords({ records: [], failure })).to.equal(failure.message);
  });
});
