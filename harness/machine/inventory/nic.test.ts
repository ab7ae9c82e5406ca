import { expect } from 'chai';
import type { LinkInfo } from '../../link/link-info.js';
import { faultOf, lowerLinks } from './nic.js';

function link(ifname: string, more: Record<string, unknown> = {}): LinkInfo {
  return {
    ifindex: 1,
    ifname,
    link_type: 'ether',
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1500,
    operstate: 'UP',
    ...more,
  };
}

const slave = (master: string, kind: string) => ({ master, linkinfo: { info_slave_kind: kind } });

describe('a network card of a host', () => {
  for (const [what, card] of [
    ['is up', link('eth1')],
    ['tells nothing of its state, as some drivers’', link('eth1', { operstate: 'UNKNOWN' })],
    ['is in a VRF', link('eth1', slave('vrf0', 'vrf'))],
    ['is a VLAN', link('eth1.5', { link: 'eth1', linkinfo: { info_kind: 'vlan' } })],
  ] as const) {
    it(`can carry experiments when it ${what}`, () => expect(faultOf(card, false)).to.equal(undefined));
  }

  for (const [words, card, wireless = false] of [
    ['is down', link('eth1', { flags: ['BROADCAST', 'MULTICAST'], operstate: 'DOWN' })],
    ['has no carrier', link('eth1', { flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'], operstate: 'DOWN' })],
    ['has no carrier', link('eth1.5', { flags: ['UP', 'M-DOWN'], operstate: 'LOWERLAYERDOWN' })],
    ['is a port of the bridge br0', link('eth1', slave('br0', 'bridge'))],
    ['is a slave of the bond bond0', link('eth1', slave('bond0', 'bond'))],
    ['is a slave of the openvswitch ovs-system', link('eth1', slave('ovs-system', 'openvswitch'))],
    ['is a wireless card', link('wlan0'), true],
    ['is no Ethernet card (none)', link('wg0', { link_type: 'none' })],
  ] as const) {
    it(`cannot when it ${words}`, () => {
      const fault = faultOf(card, wireless);
      expect(fault?.why).to.include(words);
      expect(fault?.next).not.to.equal(undefined);
    });
  }

  it('is below the VLANs, bridges and bonds that are on it, and not on others', () => {
    const links = [
      link('eth0', slave('bond0', 'bond')),
      link('eth1', slave('bond0', 'bond')),
      link('bond0'),
      link('bond0.5', { link: 'bond0', master: 'br0' }),
      link('br0'),
      link('eth2'),
      // Its lower link has that name in another namespace.
      link('mac0', { link: 'eth2', link_netnsid: 0 }),
    ];
    expect([...lowerLinks('br0', links)].sort()).to.deep.equal(['bond0', 'bond0.5', 'br0', 'eth0', 'eth1']);
    expect([...lowerLinks('mac0', links)]).to.deep.equal(['mac0']);
  });
});
