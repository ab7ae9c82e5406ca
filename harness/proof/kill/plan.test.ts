import { expect } from 'chai';
import { allKills, sample } from './plan.js';

describe('ending runs: what is killed', () => {
  const all = allKills({ from: 3, to: 52 }, ['SIGINT', 'SIGKILL']);

  it('is every step in every way', () => {
    expect(all).to.have.length(100);
    expect(all.slice(0, 3)).to.deep.equal([
      { at: 3, how: 'SIGINT' },
      { at: 3, how: 'SIGKILL' },
      { at: 4, how: 'SIGINT' },
    ]);
    expect(all.at(-1)).to.deep.equal({ at: 52, how: 'SIGKILL' });
    expect(allKills({ from: 5, to: 4 }, ['SIGINT'])).to.be.empty;
  });

  it('is the same sample for the same seed, one out of each stretch', () => {
    const chosen = sample(all, 10, 7);
    expect(chosen)
      .to.deep.equal(sample(all, 10, 7))
      .and.not.to.deep.equal(sample(all, 10, 8));
    expect(chosen.map((kill) => Math.floor(all.indexOf(kill) / 10))).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sample(all, 500, 1)).to.deep.equal(all);
  });
});
