import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import type { Frame } from './frame.js';
import { echo, ethernet, icmp, ipv4, join } from './encode.js';
import type { Ipv4Sample } from './encode.js';

const ping = icmp(8, 0, echo(7, 1, join('00010203')));
const decode = (packet: Uint8Array, length?: number): Frame => {
  const bytes = ethernet({ type: 0x0800 }, packet);
  return decodeFrame(bytes, 0, length ?? bytes.length);
};
const packet = (header: Partial<Ipv4Sample> = {}): Uint8Array => ipv4({ protocol: 1, ...header }, ping);

describe('decoding IPv4', () => {
  it('reads the header', () => {
    const bytes = join('45000054 1234 4000 40 01 0000 0a000001 c0a8ff02', new Uint8Array(64).fill(8));
    expect(decode(bytes).ipv4).to.deep.equal({
      ...{ source: '10.0.0.1', destination: '192.168.255.2', ttl: 64, protocol: 1, identification: 0x1234 },
      ...{ fragmentOffset: 0, moreFragments: false, headerLength: 20, totalLength: 84 },
    });
  });

  it('passes over options', () => {
    const frame = decode(packet({ options: '94040000 01010101' }));
    expect(frame.ipv4?.headerLength).to.equal(28);
    expect(frame.icmp).to.include({ kind: 'echo request', identifier: 7, sequence: 1 });
  });

  it('does not take padding for payload', () => {
    const frame = decode(join(packet(), new Uint8Array(14).fill(0xee)));
    expect(frame.icmp?.payload).to.deep.equal(join('00010203'));
  });

  it('decodes the first fragment and no other', () => {
    expect(decode(packet({ fragment: 0x2000 }))).to.have.property('icmp');
    const second = decode(packet({ fragment: 0x2000 | 185 }));
    expect(second.ipv4).to.include({ fragmentOffset: 1480, moreFragments: true });
    expect(second).not.to.have.any.keys('icmp', 'malformed');
  });

  it('reads UDP and TCP ports', () => {
    expect(decode(ipv4({ protocol: 17 }, join('0035 c000 0008 0000'))).udp).to.deep.equal({
      source: 53,
      destination: 49152,
    });
    const tcp = ipv4({ protocol: 6 }, join('01bb c000 00000000 00000000 5012 0000 0000 0000'));
    expect(decode(tcp).tcp).to.deep.equal({ source: 443, destination: 49152, flags: 0x12 });
  });

  it('keeps the whole of a segment that is too long for the length field', () => {
    const bytes = join(packet().with(2, 0).with(3, 0), new Uint8Array(70000));
    expect(decode(bytes)).not.to.have.property('malformed');
    expect(decode(bytes).icmp?.payload).to.have.length(64);
  });

  it('is not malformed when only the payload was cut', () => {
    const frame = decode(packet().subarray(0, 30), 1000);
    expect(frame).not.to.have.property('malformed');
    expect(frame.icmp?.payload).to.deep.equal(join('0001'));
  });

  const broken: [what: string, bytes: Uint8Array, reason: string][] = [
    ['the header is cut', packet().subarray(0, 19), 'IPv4: 20 bytes expected, 19 captured'],
    ['the version is another', packet().with(0, 0x65), 'IPv4: version 4 expected, 6 seen'],
    [
      'the header length is too small',
      packet().with(0, 0x44),
      'IPv4: a header of at least 20 bytes expected, 16 stated',
    ],
    ['the total length is too small', packet().with(3, 19), 'IPv4: a total length of at least 20 expected, 19 stated'],
    ['the total length is 0', packet().with(3, 0), 'IPv4: a total length of at least 20 expected, 0 stated'],
    ['the total length is too large', packet().with(3, 200), 'IPv4: 200 bytes expected, 32 on the wire'],
    ['ICMP is cut', ipv4({ protocol: 1 }, join('0800')), 'ICMP: 8 bytes expected, 2 captured'],
    ['UDP is cut', ipv4({ protocol: 17 }, join('0035')), 'UDP: 8 bytes expected, 2 captured'],
    ['TCP is cut', ipv4({ protocol: 6 }, join('0035')), 'TCP: 20 bytes expected, 2 captured'],
  ];
  for (const [what, bytes, reason] of broken) {
    it(`says when ${what}`, () => expect(decode(bytes).malformed).to.equal(reason));
  }

  it('says when the options were cut off by the capture, and keeps the addresses', () => {
    const frame = decode(packet({ options: '01010101' }).subarray(0, 22), 50);
    expect(frame.malformed).to.equal('IPv4 header: 24 bytes expected, 22 captured');
    expect(frame.ipv4?.destination).to.equal('10.0.0.2');
  });
});
