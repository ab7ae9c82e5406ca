import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Ended } from './fresh-machine.js';
import { changedTests, needs } from './needs.js';

const ended = (status: number, ...texts: string[]): Ended => ({
  status,
  milliseconds: 1,
  lines: texts.map((text) => ({ at: 0, text })),
});

const root = new URL('../../../..', import.meta.url).pathname;

describe('a representative test on a fresh machine', () => {
  const of = (what: string) => needs.find((each) => each.what === what) ?? expect.fail(what);

  it('of experiments is green when all passed: a skipped one, and none at all, are red', () => {
    const { green } = of('the sandbox');
    expect(green(ended(0, 'ok A1.1', '8 passed, 0 failed, 0 skipped'))).to.equal(undefined);
    for (const sum of ['7 passed, 0 failed, 1 skipped', '0 passed, 0 failed, 0 skipped', 'nothing']) {
      expect(green(ended(0, sum)), sum).to.be.a('string');
    }
    expect(green(ended(3, '8 passed, 0 failed, 0 skipped'))).to.equal('exit code 3');
  });

  it('of unit tests forbids skipping, and is red when no test ran', () => {
    const { green, line } = of('hosts: ssh, sudo');
    expect(line).to.contain('--forbid-pending');
    expect(green(ended(0, '  6 passing (2s)'))).to.equal(undefined);
    expect(green(ended(0, '  0 passing (2s)'))).to.equal('no test ran');
    expect(green(ended(1, '  6 passing (2s)'))).to.equal('exit code 1');
  });

  it('of unit tests: its files exist', () => {
    const patterns = needs.flatMap(({ line }) => line.match(/dist\/[^']+/g) ?? []);
    expect(patterns).not.to.deep.equal([]);
    for (const pattern of patterns) {
      const name = new RegExp(`^${basename(pattern).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      const found = readdirSync(join(root, dirname(pattern))).filter((file) => name.test(file));
      expect(found, pattern).not.to.deep.equal([]);
    }
  });

  it('is also each test file that has changed', () => {
    expect(changedTests(root, 'HEAD')).to.deep.equal([]);
  });
});
