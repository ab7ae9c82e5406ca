import { expect } from 'chai';
import type { TestRecord } from '../run/record.js';
import { baselineOf } from './compare/baseline.js';
import { compareWithBaseline } from './compare/compare.js';
import type { KnownDifference } from './compare/known-difference.js';
import { aFeature, aKernel, aPerformance, aRecordOf, matrixOf } from './matrix.test-support.js';
import { exitCodeOfMatrix, matrixSummary } from './outcome.js';
import { tableOf } from './compare/table.js';
import { type KernelTable } from './compare/kernel-table.js';

const kernel = aKernel('6.12.117');

const failing: KnownDifference = {
  ...{ name: 'no source lists', about: { experiment: 'X4.1' }, kernels: '6.12', expected: 'failed' },
  ...{ reason: 'left out', source: 'a commit' },
};

/** A matrix of one kernel, by the verdicts of its experiments; undefined for experiments that did not run. */
function aTable(verdicts: (TestRecord['verdict'] | undefined)[], known: readonly KnownDifference[] = []): KernelTable {
  const records = verdicts.flatMap((verdict, position) => (verdict ? [aRecordOf(position, { verdict })] : []));
  return tableOf(matrixOf([aPerformance(kernel, records, { planned: 4 })]), known);
}

const passed = ['passed', 'passed', 'passed', 'passed'] as const;
const withLast = (verdict: TestRecord['verdict'] | undefined) => [...passed.slice(0, 3), verdict];

describe('the outcome of a matrix', () => {
  const exit = (table: KernelTable) => exitCodeOfMatrix({ table, interrupted: false });

  it('is 0 when all passed, were skipped, or failed as expected', () => {
    expect(exit(aTable([...passed]))).to.equal(0);
    expect(exit(aTable(withLast('skipped')))).to.equal(0);
    expect(exit(aTable(withLast('failed'), [failing]))).to.equal(0);
  });

  it('is 1 for an unexpected failure, also beside errors, and for an alarm of an experiment or a feature', () => {
    expect(exit(aTable(withLast('failed')))).to.equal(1);
    expect(exit(aTable(['error', 'failed', undefined, undefined]))).to.equal(1);
    expect(exit(aTable([...passed], [failing]))).to.equal(1);
    const hairpin: KnownDifference = { ...failing, about: { feature: 'hairpin' }, expected: 'refused' };
    const table = tableOf(matrixOf([aPerformance(kernel, undefined, { features: [aFeature()] })]), [hairpin]);
    expect(exit(table)).to.equal(1);
  });

  it('is 3 for errors, for what was not performed, and for a failure behind the last test', () => {
    expect(exit(aTable(withLast('error')))).to.equal(3);
    expect(exit(aTable(withLast(undefined)))).to.equal(3);
    const failure = { code: 'KERNEL_DEFECT', message: 'it complained' };
    expect(exit(tableOf(matrixOf([aPerformance(kernel, undefined, { failure })]), []))).to.equal(3);
    expect(exit(tableOf(matrixOf([{ kernel: { ...kernel, failure }, runs: [] }]), []))).to.equal(3);
    expect(exit({ ...aTable([...passed]), columns: [], rows: [] })).to.equal(3);
  });

  it('is 130 when interrupted', () => {
    expect(exitCodeOfMatrix({ table: aTable(withLast('failed')), interrupted: true })).to.equal(130);
  });

  it('with a baseline is about what got worse alone', () => {
    const against = (then: KernelTable | undefined, now: KernelTable) =>
      exitCodeOfMatrix({
        table: now,
        interrupted: false,
        comparison: compareWithBaseline(now, then && baselineOf(then), []),
      });
    expect(against(aTable(withLast('failed')), aTable(withLast('failed')))).to.equal(0);
    expect(against(aTable(withLast('error')), aTable(withLast('error')))).to.equal(0);
    expect(against(aTable([...passed]), aTable(withLast('failed')))).to.equal(1);
    expect(against(aTable([...passed]), aTable(withLast('skipped')))).to.equal(1);
    expect(against(aTable([...passed]), aTable(withLast('error')))).to.equal(3);
    expect(against(aTable([...passed]), aTable(withLast(undefined)))).to.equal(3);
    expect(against(undefined, aTable(withLast('failed')))).to.equal(0);
    expect(against(undefined, aTable(withLast(undefined)))).to.equal(3);
  });

  it('is said in the last line, with errors as failed and what is expected as passed', () => {
    const summary = (table: KernelTable) => matrixSummary({ table, comparison: undefined });
    expect(summary(aTable([...passed]))).to.deep.equal(['4 passed, 0 failed, 0 skipped']);
    expect(summary(aTable(['failed', 'skipped', 'error', undefined]))).to.deep.equal([
      'not performed: 1',
      'of the failed, 1 was an error of the lab',
      '0 passed, 2 failed, 1 skipped',
    ]);
    expect(summary(aTable(withLast('failed'), [failing]))).to.deep.equal([
      'of the passed, 1 failed as known differences say',
      '4 passed, 0 failed, 0 skipped',
    ]);
    expect(summary(aTable([...passed], [failing]))).to.deep.equal([
      '1 alarm: not as a known difference says',
      '4 passed, 0 failed, 0 skipped',
    ]);
  });

  it('says what a comparison has come to', () => {
    const then = aTable([...passed]);
    const line = (now: KernelTable) =>
      matrixSummary({ table: now, comparison: compareWithBaseline(now, baselineOf(then), []) }).at(-2);
    expect(line(then)).to.equal('against the baseline of 2026-11-21: nothing has changed');
    expect(line(aTable(['failed', 'failed', 'skipped', 'passed']))).to.equal(
      'against the baseline of 2026-11-21: 2 new failures, 1 changed',
    );
    expect(matrixSummary({ table: then, comparison: compareWithBaseline(then, undefined) })[0]).to.equal(
      'there was no baseline to compare with',
    );
  });
});
