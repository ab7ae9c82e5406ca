import { expect } from 'chai';
import { type MacvlabError } from '../../core/error.js';
import type { KnownKernel } from '../../kernel/debian/known-kernels.js';
import { kernelsBetween } from './kernels-between.js';

function aKernel(release: string, version: string): KnownKernel {
  const upstream = version.replace(/-[^-]*$/, '').replace('~', '-');
  return {
    ...{ release: `${release}-cloud-amd64`, upstream, version, suites: ['trixie-security'], labels: [] },
    ...{ packages: [], bytes: 1, fetched: false },
  };
}

const known = [
  aKernel('6.1.0-47', '6.1.170-1'),
  aKernel('6.1.0-0.deb11.56', '6.1.192-1~deb11u1'),
  aKernel('6.1.0-56', '6.1.192-2'),
  aKernel('6.12.90+deb12', '6.12.90-1~bpo12+1'),
  aKernel('6.12.90+deb13', '6.12.90-1'),
  aKernel('6.12.94+deb13', '6.12.94-1'),
  aKernel('6.12.100+deb13', '6.12.100-1'),
  aKernel('7.3', '7.3~rc6-1~exp1'),
  aKernel('7.3', '7.3~rc7-1~exp1'),
  aKernel('7.3.4+deb13', '7.3.4-1~bpo13+1'),
];

describe('the kernels between two', () => {
  const names = (...[options]: [Parameters<typeof kernelsBetween>[1]]) =>
    kernelsBetween(known, options).kernels.map(({ name }) => name);
  const refusal = (good: string, bad: string) => {
    try {
      kernelsBetween(known, { good, bad });
    } catch (error) {
      return error as MacvlabError;
    }
    throw new Error('it should have been refused');
  };

  it('are all by their packages’ versions, ends included, called as their packages where versions do not tell them apart', () => {
    expect(names({ good: '6.1', bad: '7.3-rc7' })).to.deep.equal([
      ...['6.1.192', '6.12.90-1~bpo12+1', '6.12.90-1', '6.12.94', '6.12.100', '7.3-rc6', '7.3-rc7'],
    ]);
    expect(names({ good: '6.1.170', bad: '6.12.94' }).slice(0, 3)).to.deep.equal([
      ...['6.1.170', '6.1.192-1~deb11u1', '6.1.192-2'],
    ]);
  });

  it('say which end is good, also where good is the newer', () => {
    expect(kernelsBetween(known, { good: '6.1', bad: '6.12' }).good).to.equal('oldest');
    const fixed = kernelsBetween(known, { good: '6.12', bad: '6.1' });
    expect(fixed.good).to.equal('newest');
    expect(fixed.kernels.map(({ version }) => version)).to.deep.equal([
      ...['6.1.192', '6.12.90', '6.12.90', '6.12.94', '6.12.100'],
    ]);
  });

  it('are only the newest of each series, where that is wanted', () => {
    const newest = names({ good: '6.1.170', bad: '7.3-rc7', seriesOnly: true });
    expect(newest).to.deep.equal(['6.1.170', '6.1.192', '6.12.100', '7.3-rc7']);
  });

  it('may be only the two', () => {
    expect(names({ good: '6.12.94', bad: '6.12.100' })).to.deep.equal(['6.12.94', '6.12.100']);
    expect(names({ good: '7.3-rc6', bad: '7.3-rc7' })).to.deep.equal(['7.3-rc6', '7.3-rc7']);
  });

  it('have a folder of their own each, and say where they come from', () => {
    const { kernels } = kernelsBetween(known, { good: '6.1.170', bad: '7.3' });
    expect(new Set(kernels.map(({ slot }) => slot)).size).to.equal(kernels.length);
    expect(kernels[0]).to.include({
      spec: '6.1.170-1',
      release: '6.1.0-47-cloud-amd64',
      origin: 'Debian trixie-security, 6.1.170-1',
    });
  });

  it('are refused where one is twice, does not exist, or is of one’s own', () => {
    const same = refusal('6.1', '6.1.0-56');
    expect(same).to.include({ code: 'USAGE' });
    expect(same.message).to.include('6.1 and 6.1.0-56 mean 6.1.0-56-cloud-amd64');
    expect(refusal('6.1', '6.1').message).to.include('6.1 means 6.1.0-56-cloud-amd64');
    for (const unknown of [refusal('6.1', '9.9'), refusal('9.9', '6.1')]) {
      expect(unknown).to.include({ code: 'KERNEL_UNKNOWN', exit: 2 });
      expect(unknown.message).to.include('9.9');
    }
    const own = refusal('6.1', './bzImage');
    expect(own.code).to.equal('USAGE');
    expect(own.next).to.include('git bisect run');
  });
});
