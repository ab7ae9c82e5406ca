import { expect } from 'chai';
import { isWithin, networkOf, overlap } from './cidr.js';

describe('a network', () => {
  it('is told from an address in it', () => {
    expect(networkOf('10.211.55.18/24')).to.equal('10.211.55.0/24');
    expect(networkOf('192.168.179.9/16')).to.equal('192.168.0.0/16');
    expect(networkOf('10.9.8.7/13')).to.equal('10.8.0.0/13');
    expect(networkOf('10.0.0.7')).to.equal('10.0.0.7/32');
    expect(networkOf('0.0.0.0/0')).to.equal('0.0.0.0/0');
    expect(networkOf('2001:db8:babe:10::11/64')).to.equal('2001:db8:babe:10::/64');
    expect(networkOf('2001:db8:babe:10::11/48')).to.equal('2001:db8:babe::/48');
    expect(networkOf('fd00:211:55::18/64')).to.equal('fd00:211:55::/64');
    expect(networkOf('::1')).to.equal('::1/128');
  });

  it('is within another or not', () => {
    expect(isWithin('10.0.0.7/24', '10.0.0.0/8')).to.equal(true);
    expect(isWithin('10.0.0.0/8', '10.0.0.0/24')).to.equal(false);
    expect(isWithin('11.0.0.7', '10.0.0.0/8')).to.equal(false);
    expect(isWithin('fd00:211:55::18/64', 'fd00::/8')).to.equal(true);
    expect(isWithin('10.0.0.7', '::/0')).to.equal(false);
  });

  it('overlaps the smaller and the larger', () => {
    expect(overlap('192.168.179.9/16', '192.168.1.0/24')).to.equal(true);
    expect(overlap('192.168.1.0/24', '192.168.179.9/16')).to.equal(true);
    expect(overlap('192.168.1.0/24', '192.168.2.0/24')).to.equal(false);
  });
});
