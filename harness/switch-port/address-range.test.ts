import { expect } from 'chai';
import { errorOf } from '../core/error.test-support.js';
import { candidates, parseRange, prefixOf } from './address-range.js';

const free = (
  text: string,
  use: { near?: string[]; others?: string[]; prefix?: number } = {},
  place = 0,
  count = 300,
) => candidates(parseRange(text), { near: [], others: [], ...use }, place, count);

describe('a range of addresses', () => {
  it('has all but the network’s own and its broadcast address', () => {
    expect(free('10.0.0.0/29')).to.deep.equal(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(free('10.0.0.0/24')).to.have.lengthOf(254);
    expect(free('10.0.0.13/30'), 'a host’s address with its prefix').to.deep.equal(['10.0.0.13', '10.0.0.14']);
  });

  it('may be a part of the network, and written as first and last', () => {
    expect(free('10.0.0.50-10.0.0.52')).to.deep.equal(['10.0.0.50', '10.0.0.51', '10.0.0.52']);
    const near = ['10.0.0.1'];
    expect(free('10.0.0.253 - 10.0.0.255', { near, prefix: 24 })).to.deep.equal(['10.0.0.253', '10.0.0.254']);
  });

  it('leaves out the gateway and the hosts’ own', () => {
    expect(free('10.0.0.0/29', { near: ['10.0.0.1'], others: ['10.0.0.6', '192.168.1.1'] })).to.deep.equal([
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.4',
      '10.0.0.5',
    ]);
  });

  it('is gone through once, from any place', () => {
    expect(free('10.0.0.0/29', {}, 0.5)).to.deep.equal([
      '10.0.0.4',
      '10.0.0.5',
      '10.0.0.6',
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
    ]);
    expect(free('10.0.0.0/8', {}, 0.999, 3)).to.have.lengthOf(3);
  });

  it('gets a prefix that spans the gateway, and the host’s own where that does', () => {
    const prefix = (text: string, gateway: string, known?: number) =>
      prefixOf(parseRange(text), { near: [gateway], others: [], prefix: known });
    expect(prefix('10.0.0.0/24', '10.0.0.1')).to.equal(24);
    expect(prefix('10.0.0.240/28', '10.0.0.1')).to.equal(24);
    expect(prefix('10.0.0.240/28', '10.0.0.1', 16)).to.equal(16);
    expect(prefix('10.0.0.240/28', '10.0.1.1', 24), 'known, but not this one').to.equal(23);
    expect(prefix('10.0.0.50-10.0.0.60', '10.0.0.49')).to.equal(28);
  });

  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-',
    'a-b',
    '::/64',
    '10.0.0.256/24',
  ])
    it(`is refused: "${text}"`, async () => {
      const error = await errorOf(Promise.resolve().then(() => parseRange(text)));
      expect(error.code).to.equal('USAGE');
      expect(error.message).to.contain(`"${text}"`);
    });
});
