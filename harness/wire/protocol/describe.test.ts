import { expect } from 'chai';
import { parseIp } from './address.js';
import { decodeFrame } from './decode.js';
import { describeFrame } from './describe.js';
import { arp, echo, ethernet, icmp, icmpv6, ipv4, ipv6, join, linkLayerOption } from './encode.js';

const broadcast = 'ff:ff:ff:ff:ff:ff';
const one: [string, string] = ['02:00:00:00:00:01', '10.0.0.1'];
const two: [string, string] = ['02:00:00:00:00:02', '10.0.0.2'];
const macs = '(02:00:00:00:00:01 > 02:00:00:00:00:02)';
const none = join('');
const target = parseIp('fe80::2');
const in4 = (protocol: number, payload: Uint8Array, fragment = 0): Uint8Array =>
  ethernet({ type: 0x0800 }, ipv4({ protocol, fragment }, payload));
const in6 = (payload: Uint8Array): Uint8Array => ethernet({ type: 0x86dd }, ipv6({ nextHeader: 58 }, payload));
const request = arp(1, one, ['00:00:00:00:00:00', '10.0.0.2']);

const lines: [bytes: Uint8Array, line: string][] = [
  [
    ethernet({ type: 0x0806, destination: broadcast }, request),
    'ARP who-has 10.0.0.2 tell 10.0.0.1 (02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff)',
  ],
  [ethernet({ type: 0x0806 }, arp(2, two, one)), `ARP 10.0.0.2 is-at 02:00:00:00:00:02 ${macs}`],
  [ethernet({ type: 0x0806 }, arp(9, two, one)), `ARP operation 9 10.0.0.2 > 10.0.0.1 ${macs}`],
  [
    ethernet({ type: 0x0806 }, request.subarray(0, 10)),
    `type 0x0806 ${macs} [malformed: ARP: 28 bytes expected, 10 captured]`,
  ],
  [in4(1, icmp(8, 0, echo(7, 1, none))), `ICMP 10.0.0.1 > 10.0.0.2 echo request id 7 seq 1 ttl 64 ${macs}`],
  [in4(1, icmp(3, 1, echo(0, 0, none))), `ICMP 10.0.0.1 > 10.0.0.2 unreachable code 1 ttl 64 ${macs}`],
  [in4(1, icmp(13, 0, echo(0, 0, none))), `ICMP 10.0.0.1 > 10.0.0.2 type 13 code 0 ttl 64 ${macs}`],
  [in4(17, join('0035 1000 0008 0000')), `UDP 10.0.0.1 port 53 > 10.0.0.2 port 4096 ttl 64 ${macs}`],
  [
    in4(6, join('0016 1000 00000000 00000000 5012 0000 00000000')),
    `TCP 10.0.0.1 port 22 > 10.0.0.2 port 4096 SYN+ACK ttl 64 ${macs}`,
  ],
  [in4(17, join('00'), 3), `IPv4 protocol 17 10.0.0.1 > 10.0.0.2 fragment at 24 of id 1 ttl 64 ${macs}`],
  [
    in6(icmpv6(135, 0, join('00000000', target, linkLayerOption(1, one[0])))),
    `ICMPv6 fe80::1 > fe80::2 neighbour solicitation who-has fe80::2 from 02:00:00:00:00:01 hop limit 255 ${macs}`,
  ],
  [
    in6(icmpv6(136, 0, join('60000000', target, linkLayerOption(2, two[0])))),
    `ICMPv6 fe80::1 > fe80::2 neighbour advertisement of fe80::2 is-at 02:00:00:00:00:02 solicited override hop limit 255 ${macs}`,
  ],
  [
    in6(icmpv6(143, 0, join('0000 0006', ...Array.from({ length: 6 }, () => join('04000000', target))))),
    `ICMPv6 fe80::1 > fe80::2 multicast listener report of fe80::2, fe80::2, fe80::2, fe80::2 and 2 more hop limit 255 ${macs}`,
  ],
  [
    ethernet(
      {
        type: 0x88b5,
        tags: [
          [0x88a8, 100],
          [0x8100, 0xe00a],
        ],
      },
      none,
    ),
    `vlan 100 vlan 10 type 0x88b5 ${macs}`,
  ],
  [ethernet({ type: 3 }, join('424203')), `802.3 frame of 3 bytes ${macs}`],
  [join('0102'), '2 bytes [malformed: Ethernet: 14 bytes expected, 2 captured]'],
];

describe('describing frames', () => {
  for (const [bytes, line] of lines) it(line, () => expect(describeFrame(decodeFrame(bytes, 0))).to.equal(line));
});
