import { expect } from 'chai';
import { watchClock } from './clock.js';
import { pause } from './wait.js';

describe('a watched clock', () => {
  const now = Date.now.bind(Date);

  afterEach(() => {
    Date.now = now;
  });

  it('has not jumped while time passes', async () => {
    const jump = watchClock();
    await pause(200);
    expect(jump()).to.equal(undefined);
  });

  for (const milliseconds of [10, -10, 3_600_000, -3_600_000]) {
    it(`has jumped by ${milliseconds} ms`, () => {
      const jump = watchClock();
      Date.now = () => now() + milliseconds;
      expect(jump()).to.be.within(milliseconds - 1, milliseconds + 1);
    });
  }

  it('is back where it was', () => {
    const jump = watchClock();
    Date.now = () => now() + 1000;
    Date.now = now;
    expect(jump()).to.equal(undefined);
  });
});
