import { expect } from 'chai';
import { parseIp } from './protocol/address.js';
import { decodeFrame } from './protocol/decode.js';
import * as pattern from './pattern.js';
import type { FramePattern } from './pattern.js';
import { arp, echo, ethernet, icmp, icmpv6, ipv4, ipv6, join, linkLayerOption } from './protocol/encode.js';

const { anyFrame, anyOf, arpReply, arpRequest, echoReply, echoRequest, neighbourAdvertisement, neighbourSolicitation } =
  pattern;

const mac1 = '02:00:00:00:00:01';
const mac2 = '02:00:00:00:00:02';
const broadcast = 'ff:ff:ff:ff:ff:ff';
const data = join('00'.repeat(16), 'c0ffee01'.repeat(10));
const target = parseIp('2001:db8::2');

const frames = {
  request: ethernet(
    { type: 0x0806, destination: broadcast },
    arp(1, [mac1, '10.0.0.1'], ['00:00:00:00:00:00', '10.0.0.2']),
  ),
  reply: ethernet(
    {
      type: 0x0806,
      tags: [
        [0x88a8, 10],
        [0x8100, 20],
      ],
    },
    arp(2, [mac1, '10.0.0.2'], [mac2, '10.0.0.1']),
  ),
  ping: ethernet({ type: 0x0800 }, ipv4({ protocol: 1 }, icmp(8, 0, echo(7, 3, data)))),
  pong: ethernet({ type: 0x0800, tags: [[0x8100, 10]] }, ipv4({ protocol: 1 }, icmp(0, 0, echo(7, 3, data)))),
  ping6: ethernet({ type: 0x86dd }, ipv6({ source: '2001:db8::1', nextHeader: 58 }, icmpv6(128, 0, echo(7, 3, data)))),
  solicitation: ethernet(
    { type: 0x86dd, destination: '33:33:ff:00:00:02' },
    ipv6({ source: '::', nextHeader: 58 }, icmpv6(135, 0, join('00000000', target, linkLayerOption(1, mac1)))),
  ),
  advertisement: ethernet(
    { type: 0x86dd },
    ipv6({ nextHeader: 58 }, icmpv6(136, 0, join('40000000', target, linkLayerOption(2, mac1)))),
  ),
};
type Name = keyof typeof frames;

/** The names of the frames that a pattern matches. */
function matched(question: FramePattern): Name[] {
  const names = Object.keys(frames) as Name[];
  return names.filter((name) => question.matches(decodeFrame(frames[name], 0)));
}

const questions: [question: FramePattern, description: string, matches: Name[]][] = [
  [arpRequest(), 'ARP request', ['request']],
  [
    arpRequest({ who: '10.0.0.2', tell: '10.0.0.1', from: mac1, to: 'broadcast', senderMac: mac1, vlan: 'untagged' }),
    `ARP request who-has 10.0.0.2 tell 10.0.0.1 from ${mac1} to broadcast sender ${mac1} untagged`,
    ['request'],
  ],
  [arpRequest({ who: '10.0.0.3' }), 'ARP request who-has 10.0.0.3', []],
  [arpRequest({ tell: '10.0.0.2' }), 'ARP request tell 10.0.0.2', []],
  [arpRequest({ from: mac2 }), `ARP request from ${mac2}`, []],
  [arpRequest({ to: 'unicast' }), 'ARP request to unicast', []],
  [arpRequest({ to: 'FF:FF:FF:FF:FF:FF' }), `ARP request to ${broadcast}`, ['request']],
  [arpRequest({ senderMac: mac2 }), `ARP request sender ${mac2}`, []],
  [arpRequest({ vlan: 10 }), 'ARP request vlan 10', []],
  [
    arpReply({ from: '10.0.0.2', isAt: mac1, tell: '10.0.0.1', sourceMac: mac1, to: mac2, vlan: 10 }),
    `ARP reply from 10.0.0.2 is-at ${mac1} tell 10.0.0.1 source ${mac1} to ${mac2} vlan 10`,
    ['reply'],
  ],
  [arpReply({ vlan: 20 }), 'ARP reply vlan 20', []],
  [arpReply({ vlan: 'untagged' }), 'ARP reply untagged', []],
  [arpReply({ isAt: mac2 }), `ARP reply is-at ${mac2}`, []],
  [echoRequest(), 'echo request', ['ping', 'ping6']],
  [
    echoRequest({ from: '10.0.0.1', to: '10.0.0.2', token: 'C0FFEE01', identifier: 7, sequence: 3, ttl: 64 }),
    'echo request from 10.0.0.1 to 10.0.0.2 token c0ffee01 id 7 seq 3 ttl 64',
    ['ping'],
  ],
  [
    echoRequest({ sourceMac: mac1, destinationMac: mac2, vlan: 'untagged' }),
    `echo request source ${mac1} destination ${mac2} untagged`,
    ['ping', 'ping6'],
  ],
  [echoRequest({ from: '2001:0DB8:0::0:1', ttl: 255 }), 'echo request from 2001:db8::1 ttl 255', ['ping6']],
  [echoRequest({ token: 'c0ffee02' }), 'echo request token c0ffee02', []],
  [echoRequest({ sequence: 4 }), 'echo request seq 4', []],
  [echoRequest({ destinationMac: 'multicast' }), 'echo request destination multicast', []],
  [echoReply({ token: 'ffee01c0', vlan: 10 }), 'echo reply token ffee01c0 vlan 10', ['pong']],
  [echoReply({ vlan: 0 }), 'echo reply vlan 0', []],
  [
    neighbourSolicitation({
      target: '2001:db8::2',
      linkLayerAddress: mac1,
      from: '::',
      sourceMac: mac1,
      to: 'multicast',
    }),
    `neighbour solicitation who-has 2001:db8::2 link-layer address ${mac1} from :: source ${mac1} to multicast`,
    ['solicitation'],
  ],
  [neighbourSolicitation({ target: '2001:db8::3' }), 'neighbour solicitation who-has 2001:db8::3', []],
  [
    neighbourAdvertisement({ target: '2001:DB8::2', solicited: true, override: false, to: mac2, vlan: 'untagged' }),
    `neighbour advertisement of 2001:db8::2 to ${mac2} solicited not override untagged`,
    ['advertisement'],
  ],
  [neighbourAdvertisement({ override: true }), 'neighbour advertisement override', []],
  [neighbourAdvertisement({ linkLayerAddress: mac2 }), `neighbour advertisement link-layer address ${mac2}`, []],
  [anyFrame({ destinationClass: 'broadcast' }), 'any frame to broadcast', ['request']],
  [
    anyFrame({ destinationMac: '33:33:FF:00:00:02', sourceMac: mac1 }),
    `any frame from ${mac1} to 33:33:ff:00:00:02`,
    ['solicitation'],
  ],
  [anyFrame({ vlan: 10 }), 'any frame vlan 10', ['reply', 'pong']],
  [anyFrame(), 'any frame', Object.keys(frames) as Name[]],
  [anyOf(arpRequest(), echoReply()), 'ARP request, or echo reply', ['request', 'pong']],
];

describe('frame patterns', () => {
  for (const [question, description, matches] of questions) {
    it(`${description}: ${matches.join(', ') || 'nothing'}`, () => {
      expect(question.description).to.equal(description);
      expect(matched(question)).to.deep.equal(matches);
    });
  }

  const refused: [what: string, make: () => FramePattern][] = [
    ['a misspelt IP', () => arpRequest({ who: '10.0.0.256' })],
    ['a misspelt MAC', () => arpRequest({ from: '02:00:00:00:01' })],
    ['a misspelt class', () => arpRequest({ to: 'brodcast' })],
    ['a VLAN that no tag can hold', () => arpReply({ vlan: 4096 })],
    ['a token that is no hex', () => echoRequest({ token: 'abc' })],
    ['a token that would not be seen', () => echoRequest({ token: 'ab'.repeat(49) })],
    ['an empty token', () => echoRequest({ token: '' })],
    ['a choice of nothing', () => anyOf()],
  ];
  for (const [what, make] of refused)
    it(`refuse ${what}, which would never match`, () => expect(make).to.throw(TypeError));

  it('match no frame that was not decoded so far', () => {
    const cut = decodeFrame(frames.request.subarray(0, 30), 0, 42);
    expect(arpRequest().matches(cut)).to.equal(false);
    expect(anyFrame({ destinationClass: 'broadcast' }).matches(cut)).to.equal(true);
    expect(anyFrame({ destinationClass: 'unicast' }).matches(decodeFrame(new Uint8Array(3), 0))).to.equal(false);
  });
});
