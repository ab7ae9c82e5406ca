import { expect } from 'chai';
import fc from 'fast-check';
import { keyOf, type RunResults, type TestRecord } from '../../run/record.js';
import type { KnownDifference } from './known-difference.js';
import {
  aFeature,
  aKernel,
  aPerformance,
  aRecordOf,
  aRunOf,
  copies,
  matrixOf,
  observing,
  someExperiments,
} from '../matrix.test-support.js';
import type { KernelResults } from '../record.js';
import { tableOf } from './table.js';
import { type KernelTable } from './kernel-table.js';
import { type Cell } from './kernel-table.js';

const old = aKernel('5.10.262');
const middle = aKernel('6.12.117');
const recent = aKernel('7.2.13');

const twice: KnownDifference = {
  name: 'twice',
  about: { experiment: 'X3.1', title: 'bridge, hairpin on', observed: copies },
  kernels: '>=7.0',
  expected: 2,
  reason: 'it comes back too',
  source: 'seen',
};

const failing: KnownDifference = {
  name: 'no source lists',
  about: { experiment: 'X4.1' },
  kernels: '<6.1',
  expected: 'failed',
  reason: 'they came later',
  source: 'a commit',
};

/** Records that passed, except the last, which has the given fields. */
function with4(given: Partial<TestRecord>): TestRecord[] {
  return [0, 1, 2].map((position) => aRecordOf(position)).concat(aRecordOf(3, given));
}

function column(table: KernelTable, name: string): Cell[] {
  const position = table.columns.findIndex((each) => each.name === name);
  return table.rows.flatMap(({ cells }) => cells[position] ?? []);
}

describe('the kernel table', () => {
  it('has a column per kernel, a row per experiment, and in each cell what was recorded', () => {
    const failure = { code: 'ASSERTION', message: 'no reply' };
    const table = tableOf(
      matrixOf([aPerformance(old), aPerformance(middle, with4({ verdict: 'failed', failure }))]),
      [],
    );
    expect(table.columns.map(({ name, version }) => [name, version])).to.deep.equal([
      ['5.10', '5.10.262'],
      ['6.12', '6.12.117'],
    ]);
    expect(table.rows.map(keyOf)).to.deep.equal(someExperiments.map(keyOf));
    expect(table.rows[3]?.cells).to.deep.equal([
      {
        ...{ verdict: 'passed', observed: {}, durationMs: 34.4 },
        evidence: 'kernels/5.10/20261121-081501-4f2a/evidence/004-x4.1',
      },
      {
        ...{ verdict: 'failed', reason: 'no reply', failure, observed: {}, durationMs: 34.4 },
        evidence: 'kernels/6.12/20261121-081501-4f2a/evidence/004-x4.1',
      },
    ]);
    expect(table.columns[1]?.counts).to.deep.equal({ passed: 3, failed: 1, skipped: 0, error: 0, missing: 0 });
    expect(table.complete).to.equal(true);
    expect(table).to.deep.include({ startedAt: '2026-11-21T08:15:00.500Z', macvlab: ['0.1.0'], machines: ['bench1'] });
  });

  it('takes a kernel that did not boot as a column of errors with its reason', () => {
    const failure = { code: 'KERNEL_PANIC', message: 'the kernel panicked', next: 'look at its console' };
    const begun = aPerformance(middle, [], { planned: 4, failure });
    const notBegun: KernelResults = {
      kernel: { ...recent, failure: { code: 'KERNEL_FETCH', message: 'no network' } },
      runs: [],
    };
    const table = tableOf(matrixOf([aPerformance(old), begun, notBegun]));
    expect(column(table, '5.10').map(({ verdict }) => verdict)).to.deep.equal(['passed', 'passed', 'passed', 'passed']);
    expect(column(table, '6.12')[0]).to.deep.equal({
      ...{ verdict: 'error', reason: 'the kernel panicked', failure, observed: {} },
    });
    expect(column(table, '7.2').map(({ reason }) => reason)).to.deep.equal(Array(4).fill('no network'));
    expect(table.columns.map((each) => each.failure?.code)).to.deep.equal([undefined, 'KERNEL_PANIC', 'KERNEL_FETCH']);
    expect(table.columns[2]?.counts.error).to.equal(4);
    expect(table.differences).to.deep.equal([]);
  });

  it('names as missing what an interruption left, also the experiment that it cut short', () => {
    const cut = aRecordOf(1, { verdict: 'error', failure: { code: 'INTERRUPTED', message: 'interrupted by SIGINT' } });
    const table = tableOf(matrixOf([aPerformance(old, [aRecordOf(0), cut], { planned: 4, interrupted: true })]));
    expect(column(table, '5.10').map(({ verdict }) => verdict)).to.deep.equal([
      'passed',
      'missing',
      'missing',
      'missing',
    ]);
    expect(table.columns[0]?.counts).to.deep.equal({ passed: 1, failed: 0, skipped: 0, error: 0, missing: 3 });
    expect(table.complete).to.equal(false);
  });

  it('puts a resumed kernel together: later records count, and a failure that was made good is none', () => {
    const failure = { code: 'GUEST_DIED', message: 'QEMU ended' };
    const first = aRunOf(old, [aRecordOf(0, { verdict: 'failed' }), aRecordOf(1)], { planned: 4, failure });
    const second = aRunOf(old, [aRecordOf(0), aRecordOf(2), aRecordOf(3)], { nth: 2 });
    const table = tableOf(matrixOf([{ kernel: old, runs: [first, second] }]));
    expect(table.columns[0]).to.deep.include({ counts: { passed: 4, failed: 0, skipped: 0, error: 0, missing: 0 } });
    expect(table.columns[0]).not.to.have.property('failure');
    const open = tableOf(matrixOf([{ kernel: old, runs: [first] }]));
    expect(open.columns[0]?.failure).to.equal(failure);
    expect(column(open, '5.10').map(({ verdict }) => verdict)).to.deep.equal(['failed', 'passed', 'error', 'error']);
  });

  it('keeps a failure that came behind the last test', () => {
    const failure = { code: 'KERNEL_DEFECT', message: 'it complained when the last suite was undone' };
    const table = tableOf(matrixOf([aPerformance(old, undefined, { failure })]));
    expect(table.columns[0]?.failure).to.equal(failure);
    expect(column(table, '5.10').every(({ verdict }) => verdict === 'passed')).to.equal(true);
  });

  it('of a shard has only kernels that it has a part in, and is complete without the parts of others', () => {
    const share = { ...old, share: [0, 1] };
    const results = matrixOf([
      { kernel: share, runs: [aRunOf(share, [aRecordOf(0), aRecordOf(1)])] },
      { kernel: { ...middle, share: [] }, runs: [] },
    ]);
    const table = tableOf(results);
    expect(table.columns.map(({ name }) => name)).to.deep.equal(['5.10']);
    expect(column(table, '5.10').map(({ verdict }) => verdict)).to.deep.equal([
      'passed',
      'passed',
      'missing',
      'missing',
    ]);
    expect(column(table, '5.10')[2]?.reason).to.equal('part of another shard');
    expect(table.columns[0]?.counts.missing).to.equal(0);
    expect(table.complete).to.equal(true);
  });

  it('has a row per feature, groups together, undefined where it was not asked', () => {
    const hairpin = aFeature();
    const bclim = aFeature({ name: 'bclim', group: 'macvlan', state: 'refused', words: 'Unknown attribute' });
    const isolated = aFeature({ name: 'isolated' });
    const table = tableOf(
      matrixOf([
        aPerformance(old, undefined, { features: [hairpin, bclim] }),
        aPerformance(middle, undefined, { features: [hairpin, { ...bclim, state: 'supported' }, isolated] }),
      ]),
      [],
    );
    expect(
      table.features.map(({ group, name, cells }) => [group, name, ...cells.map((cell) => cell?.state)]),
    ).to.deep.equal([
      ['bridge port', 'hairpin', 'supported', 'supported'],
      ['bridge port', 'isolated', undefined, 'supported'],
      ['macvlan', 'bclim', 'refused', 'supported'],
    ]);
    expect(table.differences).to.deep.equal([
      {
        ...{ kind: 'feature', subject: 'macvlan: bclim', explained: [] },
        changes: [{ since: '6.12', after: '5.10', from: 'refused', to: 'supported', explained: [] }],
      },
    ]);
  });
});

describe('known differences in the kernel table', () => {
  const values = (oldest: number, newest: number) =>
    matrixOf([
      aPerformance(old, observing({ [copies]: oldest })),
      aPerformance(recent, observing({ [copies]: newest })),
    ]);

  it('expect a value, and explain where it changes', () => {
    const table = tableOf(values(1, 2), [twice, { ...failing, kernels: '<5' }]);
    expect(table.rows[1]?.cells.map(({ expected, alarm }) => ({ expected, alarm }))).to.deep.equal([
      { expected: undefined, alarm: undefined },
      { expected: 'twice', alarm: undefined },
    ]);
    expect(table.differences).to.deep.equal([
      {
        ...{ kind: 'observed', subject: keyOf(someExperiments[1]!), value: copies, explained: ['twice'] },
        changes: [{ since: '7.2', after: '5.10', from: '1', to: '2', explained: ['twice'] }],
      },
    ]);
    expect(table.known).to.deep.equal([twice]);
    expect(tableOf(values(1, 2), []).differences[0]?.explained).to.deep.equal([]);
  });

  it('find an experiment by key, alias, id, or id with a part of the title before there were keys', () => {
    const expectedIn = (about: { experiment: string; title?: string }) => {
      const known: KnownDifference = { ...twice, about: { ...about, observed: copies } };
      return tableOf(values(1, 2), [known]).rows.flatMap(({ cells }, row) => (cells[1]?.expected ? [row] : []));
    };
    for (const about of [
      { experiment: 'x3-multicast-bridge-hairpin-on' },
      { experiment: 'x3.1', title: 'hairpin on, multicast' },
      { experiment: 'X3.1', title: 'hairpin on: a multicast of ns1' },
    ])
      expect(expectedIn(about), JSON.stringify(about)).to.deep.equal([1]);
    for (const about of [
      { experiment: 'x3-multicast-vepa-hairpin-on' },
      { experiment: 'X3.1', title: 'vepa' },
      { experiment: 'X3.2' },
    ])
      expect(expectedIn(about), JSON.stringify(about)).to.deep.equal([]);
    const experiments = someExperiments.map((each) => ({ ...each, aliases: [`old-${each.key}`] }));
    const known: KnownDifference = {
      ...twice,
      about: { experiment: 'old-x3-multicast-bridge-hairpin-on', observed: copies },
    };
    const renamed = tableOf({ ...values(1, 2), matrix: { ...values(1, 2).matrix, experiments } }, [known]);
    expect(renamed.rows[1]?.cells[1]?.expected).to.equal('twice');
  });

  it('alarm in their range when another value is seen, and outside of it when theirs is', () => {
    const alarms = (oldest: number, newest: number) =>
      tableOf(values(oldest, newest), [twice]).rows[1]?.cells.map(({ alarm }) => alarm);
    expect(alarms(1, 2)).to.deep.equal([undefined, undefined]);
    expect(alarms(1, 1)).to.deep.equal([undefined, `“${copies}” is 1, but “twice” expects 2 on >=7.0`]);
    expect(alarms(2, 2)).to.deep.equal([`“${copies}” is 2, which “twice” expects only on >=7.0`, undefined]);
    expect(tableOf(values(1, 1), [twice]).known).to.deep.equal([twice]);
  });

  it('excuse a failure in their range, and alarm when it no longer fails', () => {
    const table = (verdict: TestRecord['verdict'], kernel = old) =>
      tableOf(matrixOf([aPerformance(kernel, with4({ verdict })), aPerformance(recent)]), [failing]);
    expect(table('failed').rows[3]?.cells[0]).to.include({ verdict: 'failed', expected: 'no source lists' });
    expect(table('failed').differences[0]?.changes[0]).to.include({ from: 'failed', to: 'passed' });
    expect(table('failed').differences[0]?.explained).to.deep.equal(['no source lists']);
    expect(table('passed').rows[3]?.cells[0]).to.include({
      alarm: 'passed, but “no source lists” expects it to fail on <6.1',
    });
    for (const verdict of ['error', 'skipped'] as const) {
      expect(table(verdict).rows[3]?.cells[0]).not.to.have.any.keys('alarm', 'expected');
    }
    expect(table('failed', middle).rows[3]?.cells[0]).not.to.have.any.keys('alarm', 'expected');
  });

  it('do not excuse a failure by a value that is as expected', () => {
    const records = observing({ [copies]: 2 }, { verdict: 'failed' });
    const cell = tableOf(matrixOf([aPerformance(recent, records)]), [twice]).rows[1]?.cells[0];
    expect(cell).not.to.have.any.keys('expected', 'alarm');
  });

  it('are about a feature as well', () => {
    const bclim: KnownDifference = {
      ...{ name: 'bclim', about: { feature: 'bclim' }, kernels: '>=6.4', expected: 'supported' },
      ...{ reason: 'it was added', source: 'a commit' },
    };
    const probed = (state: 'supported' | 'refused' | 'unknown') => ({ features: [aFeature({ name: 'bclim', state })] });
    const table = (one: Parameters<typeof probed>[0], other: Parameters<typeof probed>[0]) =>
      tableOf(matrixOf([aPerformance(old, undefined, probed(one)), aPerformance(middle, undefined, probed(other))]), [
        bclim,
      ]);
    expect(table('refused', 'supported').differences[0]?.explained).to.deep.equal(['bclim']);
    expect(table('refused', 'supported').features[0]?.cells[1]).to.include({ expected: 'bclim' });
    expect(table('supported', 'supported').features[0]?.cells[0]?.alarm).to.equal(
      'is supported, which “bclim” expects only on >=6.4',
    );
    expect(table('refused', 'refused').features[0]?.cells[1]?.alarm).to.equal(
      'is refused, but “bclim” expects supported on >=6.4',
    );
    expect(table('unknown', 'unknown').features[0]?.cells.map((cell) => cell?.alarm)).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('say nothing of a kernel without a version, whose changes stay unexplained', () => {
    const own = aKernel('mine', { version: '/home/me/linux' });
    const results = matrixOf([
      aPerformance(old, observing({ [copies]: 1 })),
      aPerformance(own, observing({ [copies]: 2 })),
    ]);
    const table = tableOf(results, [twice]);
    expect(table.rows[1]?.cells[1]).not.to.have.any.keys('expected', 'alarm');
    expect(table.differences[0]?.explained).to.deep.equal([]);
  });

  it('do not alarm for what one of them expects', () => {
    const mine: KnownDifference = { ...twice, name: 'mine', kernels: '5.10' };
    const table = tableOf(values(2, 2), [twice, mine]);
    expect(table.rows[1]?.cells.map(({ expected, alarm }) => [expected, alarm])).to.deep.equal([
      ['mine', undefined],
      ['twice', undefined],
    ]);
  });

  it('explain a difference only when they explain each of its changes', () => {
    const table = tableOf(
      matrixOf([
        aPerformance(old, observing({ [copies]: 0 })),
        aPerformance(middle, observing({ [copies]: 1 })),
        aPerformance(recent, observing({ [copies]: 2 })),
      ]),
      [twice],
    );
    expect(table.differences[0]?.changes.map(({ explained }) => explained)).to.deep.equal([[], ['twice']]);
    expect(table.differences[0]?.explained).to.deep.equal([]);
  });

  it('look past kernels that tell nothing', () => {
    const errors = observing({ [copies]: 7 }, { verdict: 'error' });
    const table = tableOf(
      matrixOf([
        aPerformance(old, observing({ [copies]: 1 })),
        aPerformance(middle, errors),
        aPerformance(recent, observing({ [copies]: 2 })),
      ]),
      [twice],
    );
    expect(table.differences[0]?.changes).to.deep.equal([
      { since: '7.2', after: '5.10', from: '1', to: '2', explained: ['twice'] },
    ]);
  });
});

describe('the kernel table of the same records', () => {
  const verdicts = fc.constantFrom<TestRecord['verdict']>('passed', 'failed', 'skipped', 'error');
  const outcome = fc.option(fc.record({ verdict: verdicts, value: fc.integer({ min: 0, max: 3 }) }));
  const kernels = [old, middle, recent];
  const features = [aFeature(), aFeature({ name: 'bclim', group: 'macvlan' })];

  /** Records of each kernel, by experiment; undefined if there is none. */
  const outcomes = fc.array(fc.tuple(outcome, outcome, outcome, outcome), { minLength: 3, maxLength: 3 });

  type Outcomes = typeof outcomes extends fc.Arbitrary<infer T> ? T : never;

  function recordsOf(of: Outcomes[number]): TestRecord[] {
    return of.flatMap((each, position) =>
      each ? [aRecordOf(position, { verdict: each.verdict, observed: { value: each.value }, evidence: [] })] : [],
    );
  }

  /** One run per kernel. */
  function whole(all: Outcomes): KernelTable {
    return tableOf(
      matrixOf(kernels.map((kernel, at) => aPerformance(kernel, recordsOf(all[at]!), { features, planned: 4 }))),
      [twice, failing],
    );
  }

  it('does not depend on the runs that they are in', () => {
    fc.assert(
      fc.property(outcomes, fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }), (all, groups) => {
        const parted = kernels.map((kernel, at) => {
          const records = recordsOf(all[at]!);
          const runs = [0, 1, 2, 3].map((group): RunResults => {
            const own = records.filter((_, position) => groups[at * 4 + position] === group);
            return aRunOf(kernel, own, { nth: group + 1, features, planned: 4, interrupted: group < 3 });
          });
          return { kernel, runs };
        });
        expect(tableOf(matrixOf(parted), [twice, failing])).to.deep.equal(whole(all));
      }),
    );
  });

  it('does not depend on the order of the runs, also when they have an experiment twice', () => {
    const runs = fc.array(fc.tuple(outcome, outcome, outcome, outcome), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        runs.chain((all) => {
          const made = all.map((each, at) => aRunOf(old, recordsOf(each), { nth: at + 1, planned: 4 }));
          const order = fc.shuffledSubarray(made, { minLength: made.length });
          return fc.tuple(fc.constant(made), order);
        }),
        ([made, shuffled]) => {
          const table = (runs: RunResults[]) => tableOf(matrixOf([{ kernel: old, runs }]), [twice, failing]);
          expect(table(shuffled)).to.deep.equal(table(made));
        },
      ),
    );
  });

  it('is that of its shards put together', () => {
    fc.assert(
      fc.property(outcomes, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (all, isFirst) => {
        const parts = [true, false].map((part) =>
          kernels.map((kernel, at): KernelResults => {
            const share = someExperiments.flatMap((_, position) =>
              isFirst[at * 4 + position] === part ? [position] : [],
            );
            const keys = new Set(share.map((position) => keyOf(someExperiments[position]!)));
            const records = recordsOf(all[at]!).filter((record) => keys.has(keyOf(record)));
            const run = aRunOf(kernel, records, { nth: part ? 1 : 2, planned: share.length, features });
            return { kernel: { ...kernel, share }, runs: share.length > 0 ? [run] : [] };
          }),
        );
        // as macvlab merge does it
        const merged = kernels.map((kernel, at) => ({ kernel, runs: parts.flatMap((part) => part[at]?.runs ?? []) }));
        expect(tableOf(matrixOf(merged), [twice, failing])).to.deep.equal(whole(all));
        for (const part of parts) {
          const table = tableOf(matrixOf(part), [twice, failing]);
          expect(table.columns).to.have.lengthOf(part.filter(({ kernel }) => kernel.share!.length > 0).length);
        }
      }),
    );
  });
});
