import { expect } from 'chai';
import { decodeFrame } from '../wire/protocol/decode.js';
import type { Frame } from '../wire/protocol/frame.js';
import { arpRequest, echoRequest } from '../wire/pattern.js';
import { arp, echo, ethernet, icmp, ipv4, join } from '../wire/protocol/encode.js';
import { countClass, differences } from './count-frames.js';
import { linkLocalOf, macFilter, macOf, newMacRange } from './mac-range.js';

const [one, two] = ['02:6d:00:00:00:01', '02:6d:00:00:00:02'];

function request(
  sequence: number,
  more: { ttl?: number; tags?: [number, number][]; padding?: number; time?: string } = {},
): Frame {
  const { ttl = 1, tags = [], padding = 0, time = '0011223344556677 8899aabbccddeeff' } = more;
  const message = icmp(8, 0, echo(7, sequence, join(time, 'abcd abcd')));
  const packet = ipv4({ protocol: 1, ttl, identification: sequence }, message);
  const header = { source: one, destination: two, type: 0x0800, tags };
  return decodeFrame(join(ethernet(header, packet), new Uint8Array(padding)), sequence);
}

const question = (padding = 0) =>
  decodeFrame(
    join(
      ethernet(
        { source: one, destination: 'ff:ff:ff:ff:ff:ff', type: 0x0806 },
        arp(1, [one, '10.0.0.1'], ['00:00:00:00:00:00', '10.0.0.2']),
      ),
      new Uint8Array(padding),
    ),
    0,
  );

const echoes = echoRequest({ token: 'abcdabcd' });
const count = (out: Frame[], back: Frame[], child: Frame[] = []) =>
  countClass('IPv4 multicast', echoes, { out, in: back, child });

describe('countClass', () => {
  it('knows each echo by its number', () => {
    const sent = [1, 2, 3].map((sequence) => request(sequence));
    expect(count(sent, [])).to.include({ sent: 3, returned: 0, copies: 0 });
    expect(count(sent, sent, sent)).to.include({ sent: 3, returned: 3, copies: 3, delivered: 3 });
    expect(count(sent, [request(1), request(1)])).to.include({ returned: 1, copies: 2 });
  });

  it('counts frames that are all alike', () => {
    const pattern = arpRequest({ who: '10.0.0.2' });
    const alike = (back: number) =>
      countClass('broadcast', pattern, {
        out: [question(), question()],
        in: Array.from({ length: back }, () => question(18)),
        child: [],
        peer: [question(18)],
      });
    expect(alike(1)).to.include({ sent: 2, returned: 1, copies: 1, atPeer: 1 });
    expect(alike(2)).to.deep.include({ returned: 2, copies: 2, changes: [] });
    expect(alike(5)).to.include({ returned: 2, copies: 5 });
  });

  it('leaves out what is another’s', () => {
    expect(count([question()], [question()])).to.include({ sent: 0, returned: 0, copies: 0 });
  });
});

describe('differences', () => {
  it('are none of a frame that was filled up, or sent at another time', () => {
    expect(differences(question(), question(18))).to.deep.equal([]);
    expect(differences(request(1), request(2, { time: 'ffffffffffffffff ffffffffffffffff' }))).to.deep.equal([]);
  });

  it('are told for tag, priority, TTL and length', () => {
    const tagged = (id: number, priority = 0) => request(1, { tags: [[0x8100, (priority << 13) | id]] });
    expect(differences(tagged(10), request(1))).to.deep.equal(['tag: VLAN 10 sent, none returned']);
    expect(differences(tagged(10), tagged(20))).to.deep.equal(['tag: VLAN 10 sent, VLAN 20 returned']);
    expect(differences(tagged(10), tagged(10, 5))).to.deep.equal(['priority: 0 sent, 5 returned']);
    expect(differences(request(1), request(1, { ttl: 2 }))).to.deep.equal(['TTL: 1 sent, 2 returned']);
    expect(differences(request(1), request(1, { padding: 20 }))).to.deep.equal(['length: 62 sent, 82 returned']);
  });
});

describe('addresses of a run', () => {
  it('are local, of unicast, and never those of another run', () => {
    const [a, b] = [newMacRange(), newMacRange()];
    expect(a).to.match(/^02:6d:[0-9a-f]{2}:[0-9a-f]{2}$/);
    expect(macOf(a, 3)).to.equal(`${a}:00:03`);
    expect([a, newMacRange(), newMacRange()].some((each) => each !== b)).to.equal(true);
    expect(macFilter('02:6d:3f:a1')).to.equal('ether[6:4] = 0x026d3fa1 or ether[0:4] = 0x026d3fa1');
  });

  it('have the link-local addresses that RFC 4291 gives them', () => {
    expect(linkLocalOf('02:6d:3f:a1:00:01')).to.equal('fe80::6d:3fff:fea1:1');
  });
});
