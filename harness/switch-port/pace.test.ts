import { expect } from 'chai';
import { pauseBehind } from './pace.js';

/** Milliseconds of a request without a reply: arping waits for a second. */
const question = 1000;

/** The start of each request, in seconds. */
function questions(longest: number): number[] {
  const begun: number[] = [];
  for (let now = 0; ; now += pauseBehind(now, longest)) {
    begun.push(now / 1000);
    now += question;
    if (now > longest) return begun;
  }
}

describe('the questions whether a port passes', () => {
  it('become rarer, and one of them is asked at the end', () => {
    expect(questions(8_000)).to.deep.equal([0, 2, 6, 8]);
    expect(questions(30_000)).to.deep.equal([0, 2, 6, 14, 30]);
    expect(questions(60_000)).to.deep.equal([0, 2, 6, 14, 30, 60]);
  });

  it('stay few, however long that goes on', () => {
    expect(questions(600_000).length).to.be.below(12);
  });

  it('are asked at once when the time is over', () => {
    expect(pauseBehind(9_000, 8_000)).to.equal(0);
  });
});
