import { expect } from 'chai';
import { keyOf } from '../../run/record.js';
import { aKernel, aMatrix, aPerformance, aRecordOf, aRunOf, someExperiments } from '../matrix.test-support.js';
import type { KernelResults } from '../record.js';
import { isOpen, openExperiments, plannedOn, recordsOf } from './todo.js';

describe('what of a matrix is still to be performed', () => {
  const kernel = aKernel('6.12.117');
  const matrix = aMatrix({ kernels: [kernel] });
  const keys = someExperiments.map(keyOf);
  const interrupted = { verdict: 'error', failure: { code: 'INTERRUPTED', message: 'interrupted by SIGINT' } } as const;

  const open = (results: KernelResults) => openExperiments(matrix, results).map(keyOf);

  it('is all of it at first, and nothing when all was performed', () => {
    expect(open({ kernel, runs: [] })).to.deep.equal(keys);
    expect(open(aPerformance(kernel))).to.deep.equal([]);
    expect(isOpen(matrix, { kernel, runs: [] })).to.equal(true);
    expect(isOpen(matrix, aPerformance(kernel))).to.equal(false);
  });

  it('is what has no record in any run, in the catalogue’s order', () => {
    const runs = [aRunOf(kernel, [aRecordOf(2)], { nth: 1 }), aRunOf(kernel, [aRecordOf(0)], { nth: 2 })];
    expect(open({ kernel, runs })).to.deep.equal([keys[1], keys[3]]);
  });

  it('is what was cut short, and not what has erred, failed or been skipped', () => {
    const error = { verdict: 'error', failure: { code: 'GUEST_DIED', message: 'guest is gone' } } as const;
    const records = [
      aRecordOf(0, error),
      aRecordOf(1, interrupted),
      aRecordOf(2, { verdict: 'failed' }),
      aRecordOf(3, { verdict: 'skipped' }),
    ];
    expect(open(aPerformance(kernel, records))).to.deep.equal([keys[1]]);
  });

  it('is not again what was performed before a run that was cut short at it', () => {
    const runs = [
      aRunOf(kernel, [aRecordOf(1)], { nth: 1 }),
      aRunOf(kernel, [aRecordOf(1, interrupted)], { nth: 2, interrupted: true }),
    ];
    expect(open({ kernel, runs })).to.deep.equal([keys[0], keys[2], keys[3]]);
    expect(recordsOf({ kernel, runs }).get(keys[1] ?? '')?.folder).to.equal(runs[0]?.folder);
  });

  it('is told by id and title: several experiments have one id', () => {
    expect(open(aPerformance(kernel, [aRecordOf(1)]))).to.deep.equal([keys[0], keys[2], keys[3]]);
  });

  it('is only the kernel’s share', () => {
    const shared = { ...kernel, share: [1, 3] };
    expect(plannedOn(matrix, shared).map(keyOf)).to.deep.equal([keys[1], keys[3]]);
    expect(open(aPerformance(shared, [aRecordOf(1)]))).to.deep.equal([keys[3]]);
    expect(isOpen(matrix, { kernel: { ...kernel, share: [] }, runs: [] })).to.equal(false);
  });

  it('counts the later of two records', () => {
    const runs = [1, 2].map((nth) => aRunOf(kernel, [aRecordOf(0, { observed: { nth } })], { nth }));
    const [found] = recordsOf({ kernel, runs }).values();
    expect(found?.record.observed).to.deep.equal({ nth: 2 });
    expect(found?.folder).to.equal(runs[1]?.folder);
  });
});
