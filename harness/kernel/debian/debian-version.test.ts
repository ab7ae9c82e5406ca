import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareVersions, upstreamOf } from './debian-version.js';
import { needs } from '../../setup/needs.test-support.js';

describe('a Debian version', () => {
  it('is ordered as the archive’s kernels are', () => {
    const ordered = [
      '5.10.262-1',
      '6.1.180-1~deb11u1',
      '6.1.180-1',
      '6.1.192-1',
      '6.1.192-2',
      '6.12.9-1',
      '6.12.90-1~bpo12+1',
      '6.12.90-1',
      '6.12.90-2~bpo12+1',
      '6.12.117-1~deb12u1',
      '6.12.117-1',
      '7.3~rc7-1~exp1',
      '7.3-1',
      '7.3.4-1~bpo13+1',
      '1:1-1',
    ];
    expect([...ordered].reverse().sort(compareVersions)).to.deep.equal(ordered);
  });

  it('is ordered as dpkg does it', function () {
    needs(this, 'dpkg');
    const version = fc.stringMatching(/^(?:[0-2]:)?[0-9][0-9.+~a-cA]{0,6}(?:-[0-9+~a-cA.]{1,4})?$/);
    fc.assert(
      fc.property(version, version, (one, other) => {
        const order = Math.sign(compareVersions(one, other));
        const relation = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
        // exits with status 1 where the relation does not hold
        execFileSync('dpkg', ['--compare-versions', one, relation, other]);
      }),
      { numRuns: 150 },
    );
  });

  it('has an order however many digits it has', () => {
    const [one, other] = [`1.${'9'.repeat(400)}-1`, `1.0${'9'.repeat(399)}8-1`];
    expect(compareVersions(one, other)).to.be.above(0);
    expect(compareVersions(other, one)).to.be.below(0);
    expect(compareVersions(`${'9'.repeat(400)}:1`, `${'9'.repeat(401)}:1`)).to.be.below(0);
  });

  it('holds the kernel’s own', () => {
    expect(['6.1.192-2', '7.3~rc7-1~exp1', '6.12.95-1~bpo12+1'].map(upstreamOf)).to.deep.equal([
      '6.1.192',
      '7.3-rc7',
      '6.12.95',
    ]);
  });
});
