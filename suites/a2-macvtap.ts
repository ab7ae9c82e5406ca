/** Article 2: macvtap, a macvlan whose frames pass through a character device, as a virtual machine's do. */
import { randomBytes } from 'node:crypto';
import { expect } from '../harness/expect/expect.js';
import type { Node } from '../harness/lab/node.js';
import { Tap } from '../harness/lab/feature/tap.js';
import { experiment, suite } from '../harness/run/experiment.js';
import { firstSeen } from '../harness/wire/arrival.js';
import { mark, seen } from '../harness/wire/capture-point.js';
import type { Frame } from '../harness/wire/protocol/frame.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';
import { arp, echo, ethernet, icmp, ipv4, join } from '../harness/wire/protocol/encode.js';

const addresses = {
  node1: { addresses: ['192.168.7.11/24'] },
  node2: { addresses: ['192.168.7.12/24'] },
  router: { addresses: ['192.168.7.1/24'] },
};

const broadcast = 'ff:ff:ff:ff:ff:ff';

/** An ARP request as a virtual machine at a tap would send it. */
function question(from: { mac: string; address: string }, target: string): Uint8Array {
  const asked: [string, string] = ['00:00:00:00:00:00', target];
  return ethernet({ source: from.mac, destination: broadcast, type: 0x0806 }, arp(1, [from.mac, from.address], asked));
}

/** An echo request with a token that distinguishes it from all others. */
function request(source: string, destination: string, ips: [string, string]): { frame: Uint8Array; token: string } {
  const token = randomBytes(8).toString('hex');
  const message = icmp(8, 0, echo(1, 1, join(token)));
  const packet = ipv4({ source: ips[0], destination: ips[1], protocol: 1 }, message);
  return { frame: ethernet({ source, destination, type: 0x0800 }, packet), token };
}

suite('A2 macvtap', { addresses, needs: ['macvtap'], modes: ['bridge'] }, () => {
  experiment(
    'A2.8',
    'macvtap, four taps on one NIC: each has a unique MAC and character device',
    { key: 'a2-macvtap-many-taps' },
    async ({ node1 }) => {
      const names = ['tap-a', 'tap-b', 'tap-c', 'tap-d'];
      const taps = await Promise.all(names.map((name) => Tap.make(node1, name)));
      const nodes = await Promise.all(taps.map((tap) => tap.deviceNode()));
      const distinct = (values: string[]) => new Set(values).size;
      expect(distinct([node1.mac, ...taps.map(({ mac }) => mac)]), 'MACs of parent and taps').to.equal(5);
      expect(distinct(taps.map(({ path }) => path))).to.equal(4);
      expect(distinct(nodes.map(({ number }) => number)), 'device numbers').to.equal(4);
      for (const [index, { exists, number, ofLink }] of nodes.entries()) {
        expect(exists, `${taps[index]?.path} is a character device`).to.equal(true);
        expect(number, 'the number of the device node, and that of the link').to.equal(ofLink);
      }
      for (const name of names) expect(await node1.link(name)).to.have.macvlanMode('bridge');
    },
  );

  experiment(
    'A2.8',
    'macvtap, frames written to the character device: sent on the wire, and the replies are read from the device',
    { key: 'a2-macvtap-read-write' },
    async ({ lab, node1, node2, switch: sw }) => {
      // Frames of taps have no witnesses: a ping first shows that the path works.
      expect(await lab.ping(node1, node2)).to.be.answered();
      const tap = await Tap.make(node1, 'tap-a');
      await tap.open();
      const guest = { mac: tap.mac, address: '192.168.7.50' };
      const since = mark();

      tap.send(question(guest, '192.168.7.12'));
      const asked = arpRequest({ who: '192.168.7.12', tell: '192.168.7.50', from: tap.mac, to: 'broadcast' });
      for (const view of [sw.port('node1').in, sw.port('node2').out, node2.wire.in])
        expect(await firstSeen(view, asked, since), `the question at ${view.label}`).to.not.equal(undefined);
      const told = arpReply({ from: '192.168.7.12', isAt: node2.mac, tell: '192.168.7.50', to: tap.mac });
      expect(await firstSeen(sw.port('node1').out, told, since), 'the answer on the wire').to.not.equal(undefined);
      expect(await tap.receive(told), 'the answer at the character device').to.not.equal(undefined);

      const { frame, token } = request(tap.mac, node2.mac, ['192.168.7.50', '192.168.7.12']);
      tap.send(frame);
      expect(await firstSeen(node2.wire.in, echoRequest({ token, sourceMac: tap.mac }), since)).to.not.equal(undefined);
      expect(await tap.receive(echoReply({ token, from: '192.168.7.12' })), 'the echo').to.not.equal(undefined);
    },
  );

  experiment(
    'A2.8',
    'macvtap, unicast frames to three taps: each reaches only the addressed tap, and frames between local taps stay on the node',
    { key: 'a2-macvtap-delivery' },
    async ({ lab, node1, node2, switch: sw }) => {
      expect(await lab.ping(node1, node2)).to.be.answered();
      const make = async (node: Node, name: string) => {
        const tap = await Tap.make(node, name);
        await tap.open();
        return tap;
      };
      const [a, b, c, d] = await Promise.all([
        make(node1, 'tap-a'),
        make(node1, 'tap-b'),
        make(node2, 'tap-c'),
        make(node2, 'tap-d'),
      ]);
      const others = [b, c, d];
      const ips: [string, string] = ['192.168.7.50', '192.168.7.60'];
      const round = () => others.map((to) => request(a.mac, to.mac, ips));
      // The second round is the witness: frames of the first that are still missing after it were lost.
      const [first, second] = [round(), round()];
      const since = mark();
      for (const { frame } of [...first, ...second]) a.send(frame);
      for (const [index, tap] of others.entries()) {
        const token = second[index]?.token ?? '';
        expect(await tap.receive(echoRequest({ token })), `the second frame for ${tap.name}`).to.not.equal(undefined);
      }
      const port = sw.port('node1').in;
      const lastOut = echoRequest({ token: second.at(-1)?.token ?? '', sourceMac: a.mac });
      expect(await firstSeen(port, lastOut, since), `the last frame at ${port.label}`).to.not.equal(undefined);

      const of = (frames: readonly Frame[]) =>
        first.map(({ token }) => frames.filter((frame) => echoRequest({ token }).matches(frame)).length);
      const onTheWire = seen(port, since).map(({ frame }) => frame);
      expect(of(onTheWire), `frames for tap-b, tap-c and tap-d at ${port.label}`).to.deep.equal([0, 1, 1]);
      for (const [index, tap] of others.entries()) {
        const own = others.map((_, other) => (other === index ? 1 : 0));
        expect(of(tap.received), `frames for tap-b, tap-c and tap-d at ${tap.name}`).to.deep.equal(own);
      }
    },
  );
});
