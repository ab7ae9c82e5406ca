import { expect } from 'chai';
import { AddressMap } from './address-map.js';
import { articlePlans, planOf } from './article-networks.js';
import { lacking } from '../core/missing-prerequisite.test-support.js';

describe('addresses of the articles in a range of somebody’s', () => {
  const a1 = '10.211.55.0/24';

  it('a range of 14 addresses: those of article 1 are in it, in the order of their numbers, there and back', () => {
    const map = new AddressMap(['10.88.0.0/28']);
    map.claim(['10.211.55.18/24']);
    expect(map.sent('ip address add 10.211.55.18/24 dev eth1')).to.equal('ip address add 10.88.0.3/28 dev eth1');
    expect(map.sent('ping 10.211.55.101')).to.equal('ping 10.88.0.4');
    expect(map.sent('10.211.55.0/24 dev eth1 src 10.211.55.18')).to.equal('10.88.0.0/28 dev eth1 src 10.88.0.3');
    expect(map.received('64 bytes from 10.88.0.4: icmp_seq=1')).to.equal('64 bytes from 10.211.55.101: icmp_seq=1');
    const json = '"family":"inet","local":"10.88.0.3","prefixlen":28,"broadcast":"10.88.0.15"';
    expect(map.received(json)).to.equal(
      '"family":"inet","local":"10.211.55.18","prefixlen":24,"broadcast":"10.211.55.255"',
    );
    expect(map.entries()).to.include({
      [a1]: '10.88.0.0/28',
      '10.211.55.1': '10.88.0.1',
      '10.211.55.122': '10.88.0.9',
    });
  });

  it('text that is no address of a moved network: stays as it is', () => {
    const map = new AddressMap(['10.88.0.0/28', 'fd12::/64']);
    map.claim([a1, 'fd00:211:55::/64']);
    for (const text of [
      '02:6d:0a:d3:37:12',
      '10.99.0.1',
      '1.10.211.55.18',
      '10.211.55.18.4',
      'fe80::1%eth1',
      '::',
      'a::b::c',
    ])
      expect(map.received(map.sent(text))).to.equal(text);
    expect(map.sent('10.99.0.1 10.2.11.55')).to.equal('10.99.0.1 10.2.11.55');
  });

  it('IPv6: the last 64 bits are kept, since groups of neighbours are made of them', () => {
    const map = new AddressMap(['fd12:0:0:7::/64']);
    map.claim(['fd00:211:55::/64']);
    expect(map.sent('fd00:211:55::18/64')).to.equal('fd12:0:0:7::18/64');
    expect(map.received('fd12:0:0:7::18')).to.equal('fd00:211:55::18');
    const reply = (address: string) => `64 bytes from ${address}: icmp_seq=1 ttl=64`;
    expect(map.received(reply('fd12:0:0:7::18'))).to.equal(reply('fd00:211:55::18'));
  });

  it('a network that is allowed itself: stays where it is', () => {
    const map = new AddressMap([a1, '10.88.0.0/24']);
    map.claim([a1]);
    expect(map.sent('10.211.55.18/24')).to.equal('10.211.55.18/24');
    expect(map.entries()).to.deep.equal({});
  });

  it('a suite after the other: each has the whole range', () => {
    const map = new AddressMap(['10.88.0.0/28']);
    const release = map.claim(['10.211.55.18/24']);
    const again = map.claim(['10.211.55.101/24', '10.211.55.1/24']);
    expect(() => map.claim(['192.168.8.0/24'])).to.throw(/no such room in 10\.88\.0\.0\/28 \(10\.211\.55\.0\/24 is in/);
    release();
    expect(map.has(a1)).to.equal(true);
    again();
    again();
    expect(map.has(a1)).to.equal(false);
    expect(map.sent('10.211.55.18')).to.equal('10.211.55.18');
    map.claim(['192.168.8.0/24', '192.168.245.0/24']);
    expect(Object.values(map.entries())).to.include.members(['10.88.0.0/29', '10.88.0.8/29']);
  });

  it('a part of the range that a host needs itself: is left out, and said where nothing else is left', async () => {
    const by = 'node1 has a route to 10.88.0.0/29 already, by eth0';
    const map = new AddressMap(['10.88.0.0/28'], [{ network: '10.88.0.0/29', by }]);
    map.claim(['192.168.8.110/24']);
    expect(map.sent('192.168.8.1')).to.equal('10.88.0.9');
    expect(await lacking(() => map.claim(['10.211.55.1/24']))).to.include(by);
  });

  it('a network with fewer addresses than are used: is refused', async () => {
    const map = new AddressMap(['10.88.0.0/29']);
    map.claim(['192.168.8.110/24']);
    expect(map.sent('192.168.8.77'), 'one that no suite uses').to.equal('10.88.0.6');
    expect(await lacking(() => map.sent('192.168.8.78'))).to.match(/more addresses for 192\.168\.8\.0\/24/);
  });

  it('no IPv6 in the range: what needs it is refused', async () => {
    const map = new AddressMap(['10.88.0.0/24']);
    expect(await lacking(() => map.claim([a1, 'fd00:211:55::/64']))).to.match(/needs a \/64/);
    expect(map.has(a1), 'what was claimed with it').to.equal(false);
  });

  it('every plan of an experiment: has room in a /26 and a /60', () => {
    for (const { networks } of articlePlans)
      new AddressMap(['10.88.0.0/26', 'fd12::/60']).claim(
        networks.map(({ network, hosts: [first] }) =>
          first === undefined ? network : `${first}/${network.split('/')[1]}`,
        ),
      );
    expect(planOf('A2.6')?.experiments).to.deep.equal(['A2.6']);
    expect(planOf('A2.1')?.experiments).to.include('A2');
    expect(planOf('X9.1')).to.equal(undefined);
  });
});
