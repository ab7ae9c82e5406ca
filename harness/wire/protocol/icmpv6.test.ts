import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import type { Frame } from './frame.js';
import { parseIp } from './address.js';
import { ethernet, icmpv6, ipv6, join, linkLayerOption } from './encode.js';

const decode = (message: Uint8Array, captured?: number): Frame => {
  const bytes = ethernet({ type: 0x86dd }, ipv6({ nextHeader: 58 }, message));
  return decodeFrame(bytes.subarray(0, captured), 0, bytes.length);
};
const target = parseIp('2001:db8::2');

describe('decoding ICMPv6', () => {
  it('reads a neighbour solicitation', () => {
    const message = icmpv6(135, 0, join('00000000', target, linkLayerOption(1, '02:00:00:00:00:01')));
    expect(decode(message).icmp).to.deep.equal({
      ...{ version: 6, type: 135, code: 0, kind: 'neighbour solicitation' },
      ...{ target: '2001:db8::2', linkLayerAddress: '02:00:00:00:00:01' },
    });
  });

  it('reads a neighbour advertisement', () => {
    const message = icmpv6(136, 0, join('60000000', target, linkLayerOption(2, '02:00:00:00:00:02')));
    expect(decode(message).icmp).to.deep.equal({
      ...{ version: 6, type: 136, code: 0, kind: 'neighbour advertisement', target: '2001:db8::2' },
      ...{ router: false, solicited: true, override: true, linkLayerAddress: '02:00:00:00:00:02' },
    });
  });

  it('reads the options of router messages and passes over those that it does not know', () => {
    const prefix = join('0304 40c0', new Uint8Array(28));
    const advertisement = icmpv6(134, 0, join(new Uint8Array(12), prefix, linkLayerOption(1, '02:00:00:00:00:fe')));
    expect(decode(advertisement).icmp).to.include({
      kind: 'router advertisement',
      linkLayerAddress: '02:00:00:00:00:fe',
    });
    expect(decode(icmpv6(133, 0, join('00000000'))).icmp).to.include({ kind: 'router solicitation' });
  });

  it('reads a redirect, whose quoted packet may be cut', () => {
    const message = icmpv6(137, 0, join('00000000', target, target, '0405', new Uint8Array(38)));
    const frame = decode(message, 14 + 40 + 48);
    expect(frame.icmp).to.include({ kind: 'redirect', target: '2001:db8::2' });
    expect(frame).not.to.have.property('malformed');
  });

  it('reads the groups of listener reports', () => {
    expect(decode(icmpv6(131, 0, join('00000000', parseIp('ff02::fb')))).icmp).to.include({
      kind: 'multicast listener report',
    });
    const records = join('0400 0001', parseIp('ff02::fb'), target, '0401 0000', parseIp('ff02::1:3'), '00000000');
    const report = decode(icmpv6(143, 0, join('0000 0002', records)));
    expect(report.icmp?.groups).to.deep.equal(['ff02::fb', 'ff02::1:3']);
    expect(report).not.to.have.property('malformed');
  });

  const kinds = {
    1: 'unreachable',
    2: 'other',
    3: 'time exceeded',
    128: 'echo request',
    129: 'echo reply',
    130: 'other',
  };
  for (const [type, kind] of Object.entries(kinds)) {
    it(`type ${type} is ${kind}`, () => {
      expect(decode(icmpv6(Number(type), 0, new Uint8Array(20))).icmp?.kind).to.equal(kind);
    });
  }

  const solicitation = (option: string): Uint8Array => icmpv6(135, 0, join('00000000', target, option));
  const broken: [what: string, bytes: Uint8Array, reason: string][] = [
    [
      'a message is cut',
      icmpv6(135, 0, join('00000000')),
      'ICMPv6 neighbour solicitation: 24 bytes expected, 8 captured',
    ],
    ['an option has no length', solicitation('01'), 'ICMPv6 option: 2 bytes expected, 1 captured'],
    [
      'an option has the length 0',
      solicitation('0e00 000000000000'),
      'ICMPv6 option 14: at least 8 bytes expected, a length of 0 stated',
    ],
    ['an option is cut', solicitation('0101 0200'), 'ICMPv6 option 1: 8 bytes expected, 4 captured'],
    ['an option is too long', solicitation('0eff 0200'), 'ICMPv6 option 14: 2040 bytes expected, 4 captured'],
    [
      'records are missing',
      icmpv6(143, 0, join('0000 ffff')),
      'ICMPv6 multicast address record: 20 bytes expected, 0 captured',
    ],
  ];
  for (const [what, bytes, reason] of broken) {
    it(`says when ${what}`, () => expect(decode(bytes).malformed).to.equal(reason));
  }

  it('keeps the target when an option makes no sense', () => {
    expect(decode(solicitation('0e00 000000000000')).icmp?.target).to.equal('2001:db8::2');
  });
});
