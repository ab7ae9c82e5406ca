import { expect } from 'chai';
import { networkLayout, networkOf, networkSvg } from './network.js';

const link = (ifindex: number, ifname: string, more: object = {}) => ({
  ...{ ifindex, ifname, address: `02:00:00:00:00:0${ifindex}` },
  addr_info: [
    { local: `10.0.0.${ifindex}`, prefixlen: 24, scope: 'global' },
    { local: 'fe80::1', prefixlen: 64, scope: 'link' },
  ],
  ...more,
});
const child = (mode: string) => ({ link_index: 2, linkinfo: { info_kind: 'macvlan', info_data: { mode } } });

const snapshot = {
  'node1: ip -d -j -s address show': [link(1, 'lo'), link(2, 'eth1')],
  'node2: ip -d -j -s address show': [link(2, 'eth1'), link(3, 'mac1', child('bridge'))],
  'node1/ns1: ip -d -j -s address show': [link(1, 'lo'), link(7, 'eth0', child('vepa'))],
  'switch: ip -d -j -s address show': [link(9, 'br0')],
  'switch: bridge -d -j link show': [
    { ifname: 'node1', hairpin: true, isolated: false },
    { ifname: 'node2', hairpin: false, isolated: true },
  ],
};

describe('the drawing of a network', () => {
  it('has nodes, parents, children and ports from the link snapshot', () => {
    const { nodes, ports } = networkOf(snapshot);
    expect(nodes.map(({ name }) => name)).to.deep.equal(['node1', 'node2']);
    expect(nodes[0]).to.deep.equal({
      name: 'node1',
      parents: [{ name: 'eth1', mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/24'] }],
      children: [
        {
          ...{ namespace: 'ns1', name: 'eth0', mode: 'vepa', mac: '02:00:00:00:00:07', addresses: ['10.0.0.7/24'] },
          parent: 'eth1',
        },
      ],
    });
    expect(nodes[1]?.children.map(({ namespace, name }) => [namespace, name])).to.deep.equal([[undefined, 'mac1']]);
    expect(ports).to.deep.equal([
      { name: 'node1', flags: ['hairpin on'] },
      { name: 'node2', flags: ['hairpin off', 'isolated'] },
    ]);
  });

  it('its boxes do not overlap, and each child and port has a line', () => {
    const { boxes, lines, width, height } = networkLayout(networkOf(snapshot));
    expect(boxes).to.have.lengthOf(6);
    expect(lines).to.have.lengthOf(4);
    for (const [index, one] of boxes.entries()) {
      expect(one.x + 164).to.be.at.most(width);
      expect(one.y + one.height).to.be.at.most(height);
      for (const other of boxes.slice(index + 1)) {
        const isApart =
          one.x + 164 <= other.x ||
          other.x + 164 <= one.x ||
          one.y + one.height <= other.y ||
          other.y + other.height <= one.y;
        expect(isApart, `${one.lines[0]} and ${other.lines[0]}`).to.equal(true);
      }
    }
  });

  it('says modes, addresses and flags in words', () => {
    const svg = networkSvg(networkOf(snapshot), 'the network').toString();
    for (const words of ['macvlan vepa', 'ns1: eth0', '10.0.0.7/24', 'hairpin on', 'hairpin off, isolated'])
      expect(svg).to.include(words);
  });

  it('what it cannot read is left out', () => {
    for (const odd of [undefined, 3, [], { 'node1: ip -d -j -s address show': 'refused', 'switch: bridge link': 7 }])
      expect(networkOf(odd).nodes.flatMap(({ children }) => children)).to.deep.equal([]);
  });
});
