import { expect } from 'chai';
import type { LabDriver } from '../machine/driver.js';
import type { SuiteFile } from './suite/catalogue.js';
import { Backend } from './backend.js';

/** A suite file with a number of experiments. */
function file(name: string, experiments: number): SuiteFile {
  const about = { title: 'a test', suite: 'T', file: name, modes: [], needs: [] };
  return {
    ...{ file: name, suites: [] },
    experiments: Array.from({ length: experiments }, (_, count) => ({
      ...about,
      key: `${name}-${count}`,
      id: `${name}.${count}`,
    })),
  };
}

describe('a backend', () => {
  const driver = { name: 'sandbox' } as LabDriver;
  let backend: Backend;
  beforeEach(() => (backend = new Backend(driver, 2)));

  it('gives the files with the most experiments first, whenever they came', () => {
    backend.add([file('one', 1), file('five', 5)]);
    backend.add([file('three', 3)]);
    expect(backend.waiting).to.equal(3);
    const order = [backend.next(), backend.next(), backend.next(), backend.next()].map((each) => each?.file);
    expect(order).to.deep.equal(['five', 'three', 'one', undefined]);
    expect(backend.waiting).to.equal(0);
  });

  it('gives back all that nobody has begun', () => {
    backend.add([file('one', 1), file('two', 2), file('three', 3)]);
    backend.next();
    expect(backend.takeAll().map(({ file }) => file)).to.deep.equal(['two', 'one']);
    expect(backend.next()).to.equal(undefined);
  });

  it('has work when all files have been added, and there are some', async () => {
    const waiting = backend.hasWork();
    backend.add([file('one', 1)]);
    backend.complete();
    expect(await waiting).to.equal(true);
    // Waiting files run, also if no more files will be added.
    expect(await backend.hasWork()).to.equal(true);
  });

  it('has none when no more will come', async () => {
    const waiting = backend.hasWork();
    backend.add([]);
    backend.complete();
    expect(await waiting).to.equal(false);
    expect(await backend.hasWork()).to.equal(false);
  });

  it('waits while there may be more', async () => {
    const waiting = backend.hasWork();
    backend.add([]);
    const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, 'still waiting'))]);
    expect(first).to.equal('still waiting');
    backend.complete();
    await waiting;
  });
});
