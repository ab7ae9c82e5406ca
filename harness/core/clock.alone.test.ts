import { expect } from 'chai';
import { timeOrigin, watchClock } from './clock.js';
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

  it('has not jumped while small steps forward correct it', async () => {
    const jump = watchClock();
    const began = performance.now();
    Date.now = () => now() + (performance.now() - began) * 0.005;
    await pause(1200);
    expect(jump()).to.equal(undefined);
    Date.now = () => now() + (performance.now() - began) * 0.05;
    expect(jump()).to.be.above(50);
    Date.now = () => now() - (performance.now() - began) * 0.05;
    expect(jump()).to.be.below(-50);
  });

  it('is back where it was', () => {
    const jump = watchClock();
    Date.now = () => now() + 1000;
    Date.now = now;
    expect(jump()).to.equal(undefined);
  });
});

describe('the time of day at which the monotonic clock began', () => {
  const now = Date.now.bind(Date);

  afterEach(() => {
    Date.now = now;
  });

  for (const milliseconds of [0, 500, -500]) {
    it(`follows the time of day, set by ${milliseconds} ms since the start`, () => {
      const before = timeOrigin();
      Date.now = () => now() + milliseconds;
      expect(timeOrigin() - before).to.be.closeTo(milliseconds, 2);
    });
  }
});
