import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import { arp, ethernet, join } from './encode.js';

const request = arp(1, ['02:00:00:00:00:01', '10.0.0.1'], ['00:00:00:00:00:00', '10.0.0.2']);

describe('decoding Ethernet', () => {
  it('reads addresses and type, and leaves an unknown type alone', () => {
    const frame = decodeFrame(join('ffffffffffff 0200000000ab 88b5 0102'), 1.5);
    expect(frame).to.deep.equal({
      time: 1.5,
      length: 16,
      captured: 16,
      vlans: [],
      ethernet: { destination: 'ff:ff:ff:ff:ff:ff', source: '02:00:00:00:00:ab', type: 0x88b5 },
    });
  });

  it('reads a range of the bytes only', () => {
    const bytes = join('99', ethernet({ type: 0x0806 }, request), '99');
    expect(decodeFrame(bytes, 0, 42, 1, 43)).to.deep.equal(decodeFrame(bytes.subarray(1, 43), 0));
  });

  it('reads an 802.1Q tag', () => {
    const frame = decodeFrame(ethernet({ type: 0x0806, tags: [[0x8100, 0xb00a]] }, request), 0);
    expect(frame.vlans).to.deep.equal([{ protocol: 0x8100, id: 10, priority: 5, dropEligible: true }]);
    expect(frame.ethernet?.type).to.equal(0x0806);
    expect(frame.arp?.targetIp).to.equal('10.0.0.2');
  });

  it('reads stacked tags, the outermost first', () => {
    const tags: [number, number][] = [
      [0x88a8, 100],
      [0x9100, 0],
      [0x8100, 4095],
    ];
    const frame = decodeFrame(ethernet({ type: 0x0806, tags }, request), 0);
    expect(frame.vlans.map(({ protocol, id }) => [protocol, id])).to.deep.equal(tags);
    expect(frame.arp?.operation).to.equal('request');
  });

  it('says where a tag is cut, and keeps the addresses', () => {
    const frame = decodeFrame(join('020000000002 020000000001 8100 00'), 0);
    expect(frame.malformed).to.equal('VLAN tag: 4 bytes expected, 1 captured');
    expect(frame.ethernet?.source).to.equal('02:00:00:00:00:01');
  });

  it('does not follow tags without end', () => {
    const frame = decodeFrame(ethernet({ type: 0x8100 }, new Uint8Array(64).fill(0x81)), 0);
    expect(frame.malformed).to.equal(undefined);
    const tags = Array.from({ length: 9 }, (): [number, number] => [0x8100, 1]);
    expect(decodeFrame(ethernet({ type: 0x0806, tags }, request), 0).malformed).to.match(/^VLAN: at most 8 tags/);
  });

  it('leaves an 802.3 frame (a spanning tree BPDU) alone', () => {
    const bpdu = join('0180c2000000 020000000001 0026 424203', new Uint8Array(43));
    const frame = decodeFrame(bpdu, 0);
    expect(frame.ethernet?.type).to.equal(0x26);
    expect(frame.malformed).to.equal(undefined);
  });

  it('says when an 802.3 length is longer than the frame, or no length', () => {
    expect(decodeFrame(ethernet({ type: 100 }, new Uint8Array(50)), 0).malformed).to.equal(
      '802.3: 100 bytes expected, 50 on the wire',
    );
    expect(decodeFrame(ethernet({ type: 1520 }, new Uint8Array(50)), 0).malformed).to.match(/1520 is neither/);
  });

  it('says when there is not even a header', () => {
    expect(decodeFrame(new Uint8Array(0), 0)).to.deep.equal({
      ...{ time: 0, length: 0, captured: 0, vlans: [] },
      malformed: 'Ethernet: 14 bytes expected, 0 captured',
    });
  });
});
