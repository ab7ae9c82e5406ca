import { expect } from 'chai';
import { FrameNumbers } from './same-frame.js';

const arp = Buffer.from(`ffffffffffff0200000000010806${'00'.repeat(4)}${'ab'.repeat(24)}`, 'hex');
const tagged = Buffer.concat([arp.subarray(0, 12), Buffer.from('8100000a', 'hex'), arp.subarray(12)]);
const padded = Buffer.concat([arp, Buffer.alloc(60 - arp.length)]);
const other = Buffer.concat([arp.subarray(0, -1), Buffer.from([1])]);

const [out, port, back] = [
  { name: 'node1/eth1 out', direction: 'out' },
  { name: 'switch/node1 in', direction: 'in' },
  { name: 'node1/eth1 in', direction: 'in' },
] as const;
const child = { name: 'node1/ns1/eth0' };

describe('the number of a frame', () => {
  it('the same bytes at several points: one number', () => {
    const numbers = new FrameNumbers();
    expect([child, out, port].map((point, index) => numbers.numberOf(arp, index, point))).to.deep.equal([1, 1, 1]);
  });

  it('other bytes: another number', () => {
    const numbers = new FrameNumbers();
    expect([numbers.numberOf(arp, 0, out), numbers.numberOf(other, 1, port)]).to.deep.equal([1, 2]);
  });

  it('with a VLAN tag, or padded to 60 bytes: the same number', () => {
    const numbers = new FrameNumbers();
    expect(
      [arp, tagged, padded].map((bytes, at) => numbers.numberOf(bytes, at, [child, out, port][at]!)),
    ).to.deep.equal([1, 1, 1]);
  });

  it('again at a point of one direction: a repetition, with its own number at all points', () => {
    const numbers = new FrameNumbers();
    const seen = [out, port, out, port].map((point, index) => numbers.numberOf(arp, 10_000 * index, point));
    expect(seen).to.deep.equal([1, 1, 2, 2]);
  });

  it('points that deliver late: by time', () => {
    const numbers = new FrameNumbers();
    const at = (time: number, point: typeof out | typeof port) => numbers.numberOf(arp, time, point);
    expect([at(0, out), at(50_000, out), at(10, port), at(50_010, port)]).to.deep.equal([1, 2, 1, 2]);
  });

  it('again at a child after it came back to its machine: the same frame, reflected', () => {
    const numbers = new FrameNumbers();
    const seen = [child, out, port, back, child].map((point, index) => numbers.numberOf(arp, index, point));
    expect(seen).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('again at a child without that: a repetition', () => {
    const numbers = new FrameNumbers();
    expect([child, out, child, out].map((point, index) => numbers.numberOf(arp, index, point))).to.deep.equal([
      1, 1, 2, 2,
    ]);
  });

  it('a second later at another point: another frame', () => {
    const numbers = new FrameNumbers();
    expect([numbers.numberOf(arp, 0, out), numbers.numberOf(arp, 1e6, port)]).to.deep.equal([1, 2]);
  });

  it('bytes that are no frame: a number', () => {
    expect(new FrameNumbers().numberOf(new Uint8Array(3), 0, out)).to.equal(1);
  });
});
