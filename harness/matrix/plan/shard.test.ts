import { expect } from 'chai';
import fc from 'fast-check';
import { MacvlabError } from '../../core/error.js';
import { aKernel, someExperiments } from '../matrix.test-support.js';
import type { ExperimentKey, MatrixKernel } from '../record.js';
import { shareOut } from './shard.js';
import { plannedOn } from './todo.js';

/** Experiments of several files; those of one file need not be adjacent. */
const experimentLists = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 40 })
  .map((files) =>
    files.map((file, index): ExperimentKey => {
      const suite = `suite ${file}`;
      return {
        key: `experiment-${index}`,
        id: `A1.${index}`,
        title: `experiment ${index}`,
        suite,
        file: `suites/${file}.ts`,
      };
    }),
  );
const kernelLists = fc
  .integer({ min: 1, max: 9 })
  .map((number) => Array.from({ length: number }, (_, index) => aKernel(`6.${index}.1`)));

interface Matrix {
  kernels: MatrixKernel[];
  experiments: ExperimentKey[];
}

const filesOf = ({ experiments }: Matrix) => [...new Set(experiments.map(({ file }) => file))];

/** A matrix, and its number of parts. */
const splits = fc.record({ kernels: kernelLists, experiments: experimentLists }).chain((matrix) =>
  fc.record({
    matrix: fc.constant(matrix),
    count: fc.integer({ min: 1, max: matrix.kernels.length * filesOf(matrix).length }),
  }),
);

/** Each part as the names of its pieces (a suite file on a kernel), in the order of all pieces. */
function partsOf(matrix: Matrix, count: number): string[][] {
  return Array.from({ length: count }, (_, at) => {
    const shares = shareOut(matrix.kernels, matrix.experiments, { index: at + 1, count });
    expect(shares.map(({ name }) => name)).to.deep.equal(matrix.kernels.map(({ name }) => name));
    return shares.flatMap((kernel) => {
      const planned = plannedOn(matrix, kernel);
      return filesOf(matrix)
        .filter((file) => planned.some((experiment) => experiment.file === file))
        .map((file) => `${kernel.name} ${file}`);
    });
  });
}

const piecesOf = (matrix: Matrix) =>
  matrix.kernels.flatMap(({ name }) => filesOf(matrix).map((file) => `${name} ${file}`));

describe('a matrix in parts', () => {
  it('has everything once, in all parts together', () => {
    fc.assert(
      fc.property(splits, ({ matrix: { kernels, experiments }, count }) => {
        const shares = Array.from({ length: count }, (_, at) =>
          shareOut(kernels, experiments, { index: at + 1, count }),
        );
        for (const [position, kernel] of kernels.entries()) {
          const planned = shares.flatMap((part) => plannedOn({ experiments }, part[position] ?? kernel));
          expect(planned.map(({ id }) => id).sort()).to.deep.equal(experiments.map(({ id }) => id).sort());
        }
      }),
    );
  });

  it('has a stretch of whole suite files in each part, none empty', () => {
    fc.assert(
      fc.property(splits, ({ matrix, count }) => {
        const parts = partsOf(matrix, count);
        expect(parts.flat()).to.deep.equal(piecesOf(matrix));
        for (const part of parts) expect(part).to.not.be.empty;
      }),
    );
  });

  it('keeps the order of the catalogue within a kernel', () => {
    fc.assert(
      fc.property(splits, ({ matrix: { kernels, experiments }, count }) => {
        for (let index = 1; index <= count; index++)
          for (const { share = [] } of shareOut(kernels, experiments, { index, count }))
            expect(share).to.deep.equal([...new Set(share)].sort((a, b) => a - b));
      }),
    );
  });

  it('is as balanced as whole pieces allow: no bound between parts would be nearer to its due elsewhere', () => {
    fc.assert(
      fc.property(splits, ({ matrix, count }) => {
        const sizes = piecesOf(matrix).map((piece) => {
          const file = piece.split(' ')[1];
          return matrix.experiments.filter((experiment) => experiment.file === file).length;
        });
        const upTo = (pieces: number) => sizes.slice(0, pieces).reduce((sum, size) => sum + size, 0);
        const lengths = partsOf(matrix, count).map(({ length }) => length);
        lengths.slice(0, -1).forEach((length, at) => {
          const bound = lengths.slice(0, at + 1).reduce((sum, each) => sum + each, 0);
          const due = (upTo(sizes.length) * (at + 1)) / count;
          const offBy = (pieces: number) => Math.abs(upTo(pieces) - due);
          if (length > 1) expect(offBy(bound)).to.be.at.most(offBy(bound - 1));
          if ((lengths[at + 1] ?? 0) > 1) expect(offBy(bound)).to.be.at.most(offBy(bound + 1));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('gives whole kernels to each where there are as many parts as kernels', () => {
    const kernels = ['6.1.1', '6.12.1', '6.18.1'].map((version) => aKernel(version));
    const shares = kernels.map((_, at) => shareOut(kernels, someExperiments, { index: at + 1, count: 3 }));
    for (const [at, part] of shares.entries())
      expect(part).to.deep.equal(kernels.map((kernel, other) => (at === other ? kernel : { ...kernel, share: [] })));
  });

  it('is the whole in one part', () => {
    const kernels = ['6.1.1', '6.12.1'].map((version) => aKernel(version));
    expect(shareOut(kernels, someExperiments, { index: 1, count: 1 })).to.deep.equal(kernels);
  });

  it('cannot have more parts than there are pieces, and says how many can be', () => {
    const kernels = ['6.1.1', '6.12.1'].map((version) => aKernel(version));
    expect(() => shareOut(kernels, someExperiments, { index: 5, count: 5 }))
      .to.throw(MacvlabError, '5 parts cannot be made of 4 whole suite files')
      .with.property('code', 'USAGE');
    expect(() => shareOut(kernels, someExperiments, { index: 5, count: 5 }))
      .to.throw(MacvlabError)
      .that.has.property('next')
      .that.includes('4/4');
  });
});
