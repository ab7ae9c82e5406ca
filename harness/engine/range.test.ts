import { expect } from 'chai';
import { endsOf } from './range.js';

describe('the ends of a range', () => {
  for (const [cidr, first, last] of [
    ['192.168.8.192/27', '192.168.8.192', '192.168.8.223'],
    ['192.168.8.200/27', '192.168.8.192', '192.168.8.223'],
    ['10.0.0.0/8', '10.0.0.0', '10.255.255.255'],
    ['172.31.0.1/32', '172.31.0.1', '172.31.0.1'],
    ['255.255.255.255/31', '255.255.255.254', '255.255.255.255'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
  ] as const) {
    it(`of ${cidr} are ${first} and ${last}`, () => expect(endsOf(cidr)).to.deep.equal({ first, last }));
  }

  for (const wrong of [
    '192.168.8.192',
    '192.168.8.192/33',
    '192.168.8/24',
    '2001:db8::/64',
    '10.0.0.0/',
    '10.0.0.0/x',
  ]) {
    it(`are refused for ${wrong}`, () => expect(() => endsOf(wrong)).to.throw(TypeError, 'no range of IPv4 addresses'));
  }
});
