import { expect } from 'chai';
import fc from 'fast-check';
import { bracket, contradictions, nextPositions, stepsLeft, type Reading } from './bisect.js';

/** A row with one change, and with positions that give no result. */
interface Row {
  count: number;
  /** The first position with the reading of the last one. */
  change: number;
  holes: ReadonlySet<number>;
}

const rows = (holes: boolean): fc.Arbitrary<Row> =>
  fc.integer({ min: 2, max: 80 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      change: fc.integer({ min: 1, max: count - 1 }),
      holes: fc
        .uniqueArray(fc.integer({ min: 0, max: count }), { maxLength: holes ? count : 0 })
        .map((positions) => new Set(positions.filter((position) => position > 0 && position < count - 1))),
    }),
  );

/** Searches until no position is open. */
function search({ count, change, holes }: Row, width = 1): { readings: Map<number, Reading>; rounds: number } {
  const readings = new Map<number, Reading>();
  for (let rounds = 0; ; rounds++) {
    const next = nextPositions(count, readings, width);
    if (next.length === 0) return { readings, rounds };
    for (const position of next) {
      expect(readings.has(position), `${position} is asked once`).to.equal(false);
      readings.set(position, holes.has(position) ? 'nothing' : position < change ? 'first' : 'last');
    }
  }
}

const log2 = (number: number) => Math.ceil(Math.log2(number));

describe('the search of a bisection', () => {
  it('brackets the change in every row, with only those between that cannot tell', () => {
    fc.assert(
      fc.property(rows(true), fc.integer({ min: 1, max: 5 }), (row, width) => {
        const { readings } = search(row, width);
        const { before, after, open, holes } = bracket(row.count, readings);
        const tells = (position: number) => !row.holes.has(position);
        const positions = Array.from({ length: row.count }, (_, position) => position).filter(tells);
        expect(before).to.equal(positions.findLast((position) => position < row.change));
        expect(after).to.equal(positions.find((position) => position >= row.change));
        expect(open).to.deep.equal([]);
        expect(holes).to.deep.equal(
          [...row.holes].filter((hole) => hole > before && hole < after).sort((a, b) => a - b),
        );
        expect(contradictions(row.count, readings)).to.deep.equal([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('asks as few as can be where all can tell, and says so beforehand', () => {
    fc.assert(
      fc.property(rows(false), (row) => {
        const { rounds } = search(row);
        expect(rounds).to.be.at.most(log2(row.count - 1));
        expect(stepsLeft(row.count - 2)).to.equal(log2(row.count - 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('asks at most two more for each that cannot tell', () => {
    fc.assert(
      fc.property(rows(true), (row) => {
        const { readings, rounds } = search(row);
        const inVain = [...readings.values()].filter((each) => each === 'nothing').length;
        expect(rounds).to.be.at.most(log2(row.count - 1) + 2 * inVain);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves a stretch that cannot tell instead of going through it', () => {
    const holes = new Set(Array.from({ length: 30 }, (_, index) => 35 + index));
    const { readings } = search({ count: 100, change: 10, holes });
    expect([...readings.values()].filter((each) => each === 'nothing').length).to.be.at.most(2);
  });

  it('asks several at once in fewer rounds', () => {
    fc.assert(
      fc.property(rows(false), fc.integer({ min: 2, max: 5 }), (row, width) => {
        const { rounds } = search(row, width);
        expect(rounds).to.be.at.most(stepsLeft(row.count - 2, width));
        expect(rounds).to.be.at.most(log2(row.count - 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('begins in the middle, and needs nothing between two neighbours', () => {
    expect(nextPositions(9, new Map())).to.deep.equal([4]);
    expect(nextPositions(2, new Map())).to.deep.equal([]);
    expect(nextPositions(9, new Map(), 3)).to.deep.equal([2, 4, 6]);
    expect(bracket(2, new Map())).to.deep.equal({ before: 0, after: 1, open: [], holes: [] });
  });

  it('notices that there is more than one change', () => {
    const readings = new Map<number, Reading>([
      [2, 'last'],
      [5, 'first'],
    ]);
    expect(contradictions(9, readings)).to.deep.equal([5]);
    expect(bracket(9, readings)).to.deep.include({ before: 0, after: 2 });
  });
});
