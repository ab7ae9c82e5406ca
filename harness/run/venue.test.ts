import { expect } from 'chai';
import Mocha from 'mocha';
import type { LabDriver } from '../lab/driver.js';
import type { SuiteFile } from './catalogue.js';
import { Venue } from './venue.js';

/** A suite file with a number of experiments. */
function file(name: string, experiments: number): SuiteFile {
  const mocha = new Mocha();
  for (let count = 0; count < experiments; count++) mocha.suite.addTest(new Mocha.Test(`${name}.${count}`));
  return { file: name, mocha };
}

describe('a venue', () => {
  const driver = { name: 'sandbox' } as LabDriver;
  let venue: Venue;
  beforeEach(() => (venue = new Venue(driver, 2)));

  it('gives the files with the most experiments first, whenever they came', () => {
    venue.add([file('one', 1), file('five', 5)]);
    venue.add([file('three', 3)]);
    expect(venue.waiting).to.equal(3);
    const order = [venue.next(), venue.next(), venue.next(), venue.next()].map((each) => each?.file);
    expect(order).to.deep.equal(['five', 'three', 'one', undefined]);
    expect(venue.waiting).to.equal(0);
  });

  it('gives back all that nobody has begun', () => {
    venue.add([file('one', 1), file('two', 2), file('three', 3)]);
    venue.next();
    expect(venue.takeAll().map(({ file }) => file)).to.deep.equal(['two', 'one']);
    expect(venue.next()).to.equal(undefined);
  });

  it('has work when all files have been added, and there are some', async () => {
    const waiting = venue.hasWork();
    venue.add([file('one', 1)]);
    venue.complete();
    expect(await waiting).to.equal(true);
    // What waits is performed, also when no more will come.
    expect(await venue.hasWork()).to.equal(true);
  });

  it('has none when no more will come', async () => {
    const waiting = venue.hasWork();
    venue.add([]);
    venue.complete();
    expect(await waiting).to.equal(false);
    expect(await venue.hasWork()).to.equal(false);
  });

  it('waits while there may be more', async () => {
    const waiting = venue.hasWork();
    venue.add([]);
    const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, 'still waiting'))]);
    expect(first).to.equal('still waiting');
    venue.complete();
    await waiting;
  });
});
