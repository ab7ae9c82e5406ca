import { expect } from 'chai';
import fc from 'fast-check';
import { upstreamOf } from '../../kernel/debian/debian-version.js';
import { kernelVersion, standing, versionRange } from './version-range.js';

describe('ranges of kernel versions', () => {
  it('take the versions that kernels have', () => {
    const read = (version: string) => kernelVersion(version)?.version;
    expect(read('6.12.117')).to.equal('6.12.117');
    expect(read('6.12')).to.equal('6.12.0');
    expect(read('7.3-rc4')).to.equal('7.3.0-rc.4');
    expect(read('7.3~rc10')).to.equal('7.3.0-rc.10');
    expect(read(upstreamOf('7.3~rc7-1~exp1'))).to.equal('7.3.0-rc.7');
    expect(read('6.1.192-mine+')).to.equal('6.1.192');
    expect(read('6.12.117+deb13-cloud-amd64')).to.equal('6.12.117');
    expect(read('7.3-rc4-next-20261120')).to.equal('7.3.0-rc.4');
    expect(read('v6.12')).to.equal('6.12.0');
    for (const none of ['', '6', '/boot/vmlinuz-6.1', 'mine', 'next-20261120', '6.123456', '6.x']) {
      expect(read(none), none).to.equal(undefined);
    }
  });

  it('begin with the first candidate of a version, and end before that of the one that they exclude', () => {
    expect(standing('6.4-rc1', '>=6.4')).to.equal('in');
    expect(standing('6.3.13', '>=6.4')).to.equal('out');
    expect(standing('6.4-rc1', '<6.4')).to.equal('out');
    expect(standing('6.3.13', '<6.4')).to.equal('in');
  });

  it('know gaps where a change was taken back to older kernels', () => {
    const range = '>=5.10 <6.1.119 || >=6.4';
    const versions = ['5.4.290', '5.10.262', '6.1.118', '6.1.119', '6.3.1', '6.4', '7.3-rc2'];
    expect(versions.map((version) => standing(version, range))).to.deep.equal([
      'out',
      'in',
      'in',
      'out',
      'out',
      'in',
      'in',
    ]);
  });

  it('name candidates, of which the tenth comes after the ninth', () => {
    for (const range of ['>=7.3-rc9', '>=7.3~rc9', '>=7.3.0-rc9', '>=7.3-rc.9']) {
      expect(standing('7.3-rc8', range), range).to.equal('out');
      expect(standing('7.3-rc9', range), range).to.equal('in');
      expect(standing('7.3-rc10', range), range).to.equal('in');
      expect(standing('7.3', range), range).to.equal('in');
    }
  });

  it('say nothing of a kernel whose version cannot be told', () => {
    expect(standing('/home/me/linux', '*')).to.equal('unknown');
  });

  it('are refused when they are none, or when no version can be in them', () => {
    const why = (range: string) =>
      expect(() => versionRange(range), range)
        .to.throw(Error)
        .with.property('message');
    for (const range of ['newest', '>=6.4 || foo', '>=6.4, <6.8', '=>6.4', '>=6.1.y'])
      why(range).that.equals('it is no range of versions');
    for (const range of ['', '  ', '>=6.4 ||', '|| 6.1']) why(range).that.equals('a part of the range is empty');
    for (const range of ['>=6.8 <6.4', '5.10 6.1']) why(range).that.equals('no version can be in it');
  });

  it('put every version of a border on one side of it', () => {
    const part = fc.integer({ min: 0, max: 300 });
    const version = fc
      .tuple(part, part, part, fc.option(fc.integer({ min: 1, max: 12 })))
      .map(([major, minor, patch, candidate]) =>
        candidate === null ? `${major}.${minor}.${patch}` : `${major}.${minor}-rc${candidate}`,
      );
    fc.assert(
      fc.property(version, fc.integer({ min: 1, max: 300 }), part, (kernel, major, minor) => {
        const sides = [standing(kernel, `>=${major}.${minor}`), standing(kernel, `<${major}.${minor}`)];
        expect(sides.toSorted()).to.deep.equal(['in', 'out']);
      }),
    );
  });
});
