import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import type { Frame } from './frame.js';
import { echo, ethernet, icmpv6, ipv6, join } from './encode.js';

const ping = icmpv6(128, 0, echo(7, 1, join('0001')));
const decode = (packet: Uint8Array, length?: number): Frame => {
  const bytes = ethernet({ type: 0x86dd }, packet);
  return decodeFrame(bytes, 0, length ?? bytes.length);
};

describe('decoding IPv6', () => {
  it('reads the header', () => {
    const frame = decode(ipv6({ source: '2001:db8::1', destination: 'ff02::1', hopLimit: 3, nextHeader: 58 }, ping));
    expect(frame.ipv6).to.deep.equal({
      ...{ source: '2001:db8::1', destination: 'ff02::1', hopLimit: 3, nextHeader: 58, payloadLength: 10 },
    });
    expect(frame.icmp).to.include({ version: 6, kind: 'echo request', identifier: 7, sequence: 1 });
  });

  it('passes over extension headers, whatever their length', () => {
    const headers = join(
      '2b 00 0502 0000 0100', // hop-by-hop options, then a routing header
      '3c 02 0002 00000000', // type 0 with one address, then destination options
      new Uint8Array(16),
      '33 00 0104 00000000', // then an authentication header
      '2c 04 0000 00000000 00000000', // then a fragment header
      new Uint8Array(12),
      '3a 00 0001 00000001', // the first of several fragments
    );
    const frame = decode(ipv6({ nextHeader: 0 }, join(headers, ping)));
    expect(frame).not.to.have.property('malformed');
    expect(frame.ipv6?.nextHeader).to.equal(58);
    expect(frame.icmp?.sequence).to.equal(1);
  });

  it('does not decode a fragment that is not the first', () => {
    const frame = decode(ipv6({ nextHeader: 44 }, join('3a00 05a8 00000001', ping)));
    expect(frame.ipv6?.nextHeader).to.equal(58);
    expect(frame).not.to.have.any.keys('icmp', 'malformed');
  });

  it('reads UDP ports', () => {
    expect(decode(ipv6({ nextHeader: 17 }, join('14e9 14e9 0008 0000'))).udp?.destination).to.equal(5353);
  });

  const chain = (count: number): Uint8Array =>
    join(...Array.from({ length: count }, () => '3c00 0104 00000000'), '3b00');
  const broken: [what: string, bytes: Uint8Array, reason: string][] = [
    ['the header is cut', ipv6({ nextHeader: 58 }, ping).subarray(0, 39), 'IPv6: 40 bytes expected, 39 captured'],
    ['the version is another', ipv6({ nextHeader: 58 }, ping).with(0, 0x45), 'IPv6: version 6 expected, 4 seen'],
    [
      'the payload is longer than the frame',
      ipv6({ nextHeader: 58 }, ping).with(5, 99),
      'IPv6: 99 bytes of payload expected, 10 on the wire',
    ],
    [
      'an extension header is cut',
      ipv6({ nextHeader: 0 }, join('3a00')),
      'IPv6 hop-by-hop options: 8 bytes expected, 2 captured',
    ],
    [
      'one states too much',
      ipv6({ nextHeader: 60 }, join('3aff', new Uint8Array(30))),
      'IPv6 destination options: 2048 bytes expected, 32 captured',
    ],
    [
      'there are too many',
      ipv6({ nextHeader: 60 }, chain(99)),
      'IPv6: at most 16 extension headers expected, and there are more',
    ],
    ['ICMPv6 is cut', ipv6({ nextHeader: 58 }, join('8700')), 'ICMPv6: 4 bytes expected, 2 captured'],
  ];
  for (const [what, bytes, reason] of broken) {
    it(`says when ${what}`, () => expect(decode(bytes).malformed).to.equal(reason));
  }

  it('decodes a jumbogram, whose length field is 0', () => {
    const jumbo = ipv6({ nextHeader: 58 }, join(ping, new Uint8Array(70000)))
      .with(4, 0)
      .with(5, 0);
    expect(decode(jumbo).icmp?.sequence).to.equal(1);
  });
});
