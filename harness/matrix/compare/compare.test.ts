import { expect } from 'chai';
import fc from 'fast-check';
import { type FeatureState, keyOf, type TestRecord } from '../../run/record.js';
import { baselineOf } from './baseline.js';
import { compareWithBaseline, isWorse } from './compare.js';
import { type Comparison } from './comparison.js';
import type { KnownDifference } from './known-difference.js';
import {
  aFeature,
  aKernel,
  aPerformance,
  aRecordOf,
  copies,
  matrixOf,
  observing,
  someExperiments,
} from '../matrix.test-support.js';
import type { KernelResults } from '../record.js';
import { tableOf } from './table.js';
import { type KernelTable } from './kernel-table.js';

const kernel = aKernel('6.12.117');
const key = (position: number) => keyOf(someExperiments[position]!);

/** A kernel with this result of the last experiment. */
function showing(given: Partial<TestRecord>, of = kernel): KernelResults {
  return aPerformance(of, [0, 1, 2].map((position) => aRecordOf(position)).concat(aRecordOf(3, given)));
}

function aTable(kernels: KernelResults[], known: readonly KnownDifference[] = []): KernelTable {
  return tableOf(matrixOf(kernels), known);
}

/** The comparison of a second matrix with a first. */
function compared(then: KernelResults[], now: KernelResults[], known: readonly KnownDifference[] = []): Comparison {
  return compareWithBaseline(aTable(now, known), baselineOf(aTable(then, known)), known);
}

/** The parts of a comparison that are not empty. */
function told(comparison: Comparison): Partial<Comparison> {
  return Object.fromEntries(
    Object.entries(comparison).filter(([name, value]) => name !== 'baseline' && (value as unknown[]).length > 0),
  );
}

const patched: KnownDifference = {
  name: 'no source lists',
  about: { experiment: 'X4.1' },
  kernels: '<6.12.118',
  expected: 'failed',
  reason: 'fixed in 6.12.118',
  source: 'a commit',
};

describe('a table compared with a baseline', () => {
  it('says nothing of what is as it was', () => {
    const verdicts = fc.constantFrom<TestRecord['verdict']>('passed', 'failed', 'skipped', 'error');
    const performances = fc
      .tuple(verdicts, verdicts, fc.integer({ min: 0, max: 2 }), fc.constantFrom<FeatureState>('refused', 'unknown'))
      .map(([one, other, value, state]) => [
        aPerformance(aKernel('5.10.262'), observing({ [copies]: value }, { verdict: one })),
        aPerformance(kernel, observing({}, { verdict: other }), { features: [aFeature({ state })] }),
      ]);
    fc.assert(
      fc.property(performances, (all) => {
        expect(told(compared(all, all, [patched]))).to.deep.equal({});
        expect(isWorse(compared(all, all, [patched]))).to.equal(false);
      }),
    );
  });

  it('says what has come to fail, and what is fixed', () => {
    const failed = showing({ verdict: 'failed', reason: 'no reply' });
    const worse = compared([showing({})], [failed]);
    expect(told(worse)).to.deep.equal({
      newFailures: [{ kernel: '6.12', subject: key(3), from: 'passed', to: 'failed', reason: 'no reply' }],
    });
    expect(isWorse(worse)).to.equal(true);
    const better = compared([failed], [showing({})]);
    expect(told(better)).to.deep.equal({
      fixed: [{ kernel: '6.12', subject: key(3), from: 'failed', to: 'passed' }],
    });
    expect(isWorse(better)).to.equal(false);
  });

  it('takes a new error for no failure, and what comes behind it for what it is', () => {
    const error = showing({ verdict: 'error', reason: 'the capture ended' });
    expect(told(compared([showing({})], [error]))).to.deep.equal({
      newErrors: [{ kernel: '6.12', subject: key(3), from: 'passed', to: 'error', reason: 'the capture ended' }],
    });
    expect(isWorse(compared([showing({})], [error]))).to.equal(false);
    expect(told(compared([error], [showing({})]))).to.have.all.keys('fixed');
    expect(told(compared([error], [showing({ verdict: 'failed' })]))).to.have.all.keys('newFailures');
  });

  it('is not made to forget by a night of errors', () => {
    const night = { kernel: { ...kernel, failure: { code: 'KERNEL_FETCH', message: 'no network' } }, runs: [] };
    const first = baselineOf(aTable([aPerformance(kernel, observing({ [copies]: 1 }))]));
    const second = baselineOf(aTable([night]), first);
    const third = compareWithBaseline(aTable([aPerformance(kernel, observing({ [copies]: 2 }))]), second, []);
    expect(third.changed).to.deep.equal([
      { kernel: '6.12', subject: key(1), value: copies, from: '1', to: '2', explained: [], worse: true },
    ]);
    expect(third.fixed).to.deep.equal([
      { kernel: '6.12', from: 'error', to: 'performed', reason: 'KERNEL_FETCH: no network' },
    ]);
  });

  it('takes what comes behind an error for fixed, or for the same error', () => {
    const error = aTable([showing({ verdict: 'error' })]);
    const second = baselineOf(error, baselineOf(aTable([showing({})])));
    expect(told(compareWithBaseline(error, second, []))).to.deep.equal({});
    expect(compareWithBaseline(aTable([showing({})]), second, []).fixed).to.deep.equal([
      { kernel: '6.12', subject: key(3), from: 'error', to: 'passed' },
    ]);
    expect(compareWithBaseline(aTable([showing({ verdict: 'skipped' })]), second, []).changed[0]).to.include({
      ...{ from: 'passed', to: 'skipped', worse: true },
    });
  });

  it('says once that a kernel as a whole could not be performed', () => {
    const broken = { kernel: { ...kernel, failure: { code: 'KERNEL_PANIC', message: 'it panicked' } }, runs: [] };
    expect(told(compared([showing({})], [broken]))).to.deep.equal({
      newErrors: [{ kernel: '6.12', to: 'error', reason: 'it panicked' }],
    });
    expect(told(compared([broken], [showing({})]))).to.have.all.keys('fixed');
    expect(compared([broken], [showing({})]).fixed).to.have.lengthOf(1);
    expect(told(compared([broken], [broken]))).to.deep.equal({});
  });

  it('says that a test is skipped which told something before', () => {
    const skipped = showing({ verdict: 'skipped', reason: 'no mode source' });
    const [change] = compared([showing({})], [skipped]).changed;
    expect(change).to.deep.equal({
      ...{ kernel: '6.12', subject: key(3), from: 'passed', to: 'skipped', reason: 'no mode source' },
      ...{ explained: [], worse: true },
    });
    expect(compared([skipped], [showing({})]).changed[0]?.worse).to.equal(false);
    expect(compared([showing({ verdict: 'failed' })], [skipped]).changed[0]?.worse).to.equal(false);
    const missing: KnownDifference = { ...patched, kernels: '6.12', expected: 'skipped' };
    expect(compared([showing({})], [skipped], [missing]).changed[0]).to.include({ worse: false });
  });

  it('takes what a known difference explains for no worse', () => {
    const twice: KnownDifference = {
      ...{ name: 'twice', about: { experiment: 'X3.1', observed: copies }, kernels: '>=6.12.118', expected: 2 },
      ...{ reason: 'a fix', source: 'a commit' },
    };
    const updated = { ...kernel, version: '6.12.118', release: '6.12.118-cloud-amd64' };
    const then = [aPerformance(kernel, observing({ [copies]: 1 }))];
    const now = [aPerformance(updated, observing({ [copies]: 2 }))];
    const explained = compared(then, now, [twice]);
    expect(explained.changed[0]).to.deep.include({ explained: ['twice'], worse: false });
    expect(explained.updatedKernels).to.deep.equal([
      { name: '6.12', from: '6.12.117-cloud-amd64', to: '6.12.118-cloud-amd64' },
    ]);
    expect(isWorse(explained)).to.equal(false);
    expect(isWorse(compared(then, now))).to.equal(true);
  });

  it('does not take a failure for expected once its known difference no longer says so', () => {
    const failed = (version: string) => showing({ verdict: 'failed' }, { ...kernel, version });
    expect(told(compared([failed('6.12.117')], [failed('6.12.117')], [patched]))).to.deep.equal({});
    expect(compared([failed('6.12.117')], [failed('6.12.118')], [patched]).newFailures[0]).to.include({
      from: 'failed, as “no source lists” expects',
      to: 'failed',
    });
    const fixed = compared([failed('6.12.117')], [showing({}, { ...kernel, version: '6.12.118' })], [patched]);
    expect(told(fixed)).to.have.all.keys('fixed');
  });

  it('says which alarms are new', () => {
    const failed = showing({ verdict: 'failed' });
    const alarming = compared([failed], [showing({})], [patched]);
    expect(alarming.newAlarms[0]?.reason).to.include('expects it to fail');
    expect(isWorse(alarming)).to.equal(true);
    expect(compared([showing({})], [showing({})], [patched]).newAlarms).to.deep.equal([]);
  });

  it('compares the states of features', () => {
    const state = (given: FeatureState) => [
      aPerformance(kernel, undefined, { features: [aFeature({ state: given, words: 'so' })] }),
    ];
    expect(compared(state('supported'), state('ignored')).changed).to.deep.equal([
      {
        ...{ kernel: '6.12', subject: 'bridge port: hairpin', from: 'supported', to: 'ignored', reason: 'so' },
        ...{ explained: [], worse: true },
      },
    ]);
    expect(compared(state('supported'), state('unknown')).changed[0]?.worse).to.equal(true);
    const here: KnownDifference = {
      ...{ name: 'here', about: { feature: 'hairpin' }, kernels: '<6.12.117', expected: 'supported' },
      ...{ reason: 'it was taken out', source: 'a commit' },
    };
    const before = [aPerformance({ ...kernel, version: '6.12.116' }, undefined, { features: [aFeature()] })];
    expect(compared(before, state('refused'), [here]).changed[0]).to.deep.include({
      explained: ['here'],
      worse: false,
    });
    expect(compared(before, state('unknown'), [here]).changed[0]).to.deep.include({ explained: [], worse: true });
    expect(compared(state('unknown'), state('refused')).changed[0]?.worse).to.equal(false);
    expect(told(compared(state('supported'), [aPerformance(kernel)]))).to.deep.equal({});
  });

  it('names new and vanished kernels and experiments; failures of new ones are new', () => {
    const old = aKernel('5.10.262');
    const comparison = compared(
      [aPerformance(old), aPerformance(kernel)],
      [aPerformance(kernel), showing({ verdict: 'failed' }, aKernel('7.2.13'))],
    );
    expect(comparison).to.deep.include({ newKernels: ['7.2'], vanishedKernels: ['5.10'] });
    expect(comparison.newFailures).to.deep.equal([{ kernel: '7.2', subject: key(3), to: 'failed' }]);
    const fewer = tableOf(matrixOf([aPerformance(kernel)], { experiments: someExperiments.slice(0, 3) }), []);
    const more = aTable([aPerformance(kernel)]);
    expect(compareWithBaseline(fewer, baselineOf(more), [])).to.deep.include({
      ...{ newExperiments: [], vanishedExperiments: [key(3)] },
    });
    expect(compareWithBaseline(more, baselineOf(fewer), []).newExperiments).to.deep.equal([key(3)]);
    expect(isWorse(compareWithBaseline(fewer, baselineOf(more), []))).to.equal(false);
  });

  it('an experiment that has another key since: is compared by its alias, and is neither new nor vanished', () => {
    const before = baselineOf(aTable([showing({})]));
    const experiments = someExperiments.map((each, position) =>
      position === 3 ? { ...each, key: 'new-key', aliases: ['x', each.key] } : each,
    );
    const now = aPerformance(
      kernel,
      [0, 1, 2].map((at) => aRecordOf(at)).concat(aRecordOf(3, { key: 'new-key', verdict: 'failed', reason: 'lost' })),
    );
    const table = tableOf(matrixOf([now], { experiments }), []);
    const comparison = compareWithBaseline(table, before, []);
    expect(told(comparison)).to.deep.equal({
      newFailures: [{ kernel: '6.12', subject: 'new-key', from: 'passed', to: 'failed', reason: 'lost' }],
    });
    const error = structuredClone(table);
    error.rows[3]!.cells[0]!.verdict = 'error';
    expect(baselineOf(error, before).kernels[0]?.experiments[3]).to.deep.equal({
      ...{ experiment: 'new-key', verdict: 'passed', error: true },
    });
  });

  it('says nothing of what has not been performed yet', () => {
    const partial = aPerformance(kernel, [aRecordOf(0)], { planned: 4, interrupted: true });
    expect(told(compared([showing({})], [partial]))).to.deep.equal({});
  });

  it('finds all new and nothing worse where there is no baseline', () => {
    const comparison = compareWithBaseline(aTable([showing({ verdict: 'failed' })]), undefined, []);
    expect(told(comparison)).to.deep.equal({ newKernels: ['6.12'], newExperiments: someExperiments.map(keyOf) });
    expect(isWorse(comparison)).to.equal(false);
  });
});
