/** Article 2: macvlan on 802.1Q sub-interfaces, across two nodes and a trunk; one layer-2 domain per VLAN. */
import { expect } from '../harness/expect/expect.js';
import type { Exchange } from '../harness/exchange/exchange.js';
import { subInterfaceOf } from '../harness/lab/node.js';
import { addressOf, type Station } from '../harness/exchange/station.js';
import { taggingOf } from '../harness/link/vlan.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpRequest, echoReply, echoRequest, neighbourSolicitation } from '../harness/wire/pattern.js';
import {
  addresses,
  type Containers,
  inVlan,
  layTrunks,
  makeContainers,
  needs,
  routerOnAStick,
  shared,
  expectTags,
  trunk,
} from './support/vlans.js';

suite('A2 macvlan over VLANs', { addresses, needs, modes: ['bridge'] }, () => {
  let c: Containers;

  setUp(async (bench) => {
    await Promise.all([layTrunks(bench.switch), routerOnAStick(bench.router)]);
    c = await makeContainers(bench, (_, host) => ({ addresses: shared(host) }));
  });

  /** The request that begins an exchange, with any tag. */
  const question = (from: Station, to: Station, family: 4 | 6 = 4, vlan?: number) => {
    const [target, asker] = [addressOf(to, family, from), addressOf(from, family, to)];
    const tag = vlan === undefined ? {} : { vlan };
    if (family === 6) return neighbourSolicitation({ target, from: asker, ...tag });
    return arpRequest({ who: target, tell: asker, ...tag });
  };

  experiment(
    'A2.1',
    'two VLAN sub-interfaces of one parent: both have the MAC of the parent, and each child has a unique MAC',
    { key: 'a2-sub-interface-macs' },
    async ({ lab, node1, switch: sw }) => {
      const names = [subInterfaceOf(node1.device, 10), subInterfaceOf(node1.device, 20)] as const;
      const [ten, twenty] = [await node1.link(names[0]), await node1.link(names[1])];
      expect(taggingOf(ten)).to.deep.equal({ id: 10, protocol: '802.1Q' });
      expect(taggingOf(twenty)).to.deep.equal({ id: 20, protocol: '802.1Q' });
      expect([ten.link, twenty.link]).to.deep.equal([node1.device, node1.device]);
      expect([ten.address, twenty.address]).to.deep.equal([node1.mac, node1.mac]);
      expect(new Set([node1.mac, c.c1.mac, c.c3.mac]).size, 'distinct MACs of parent and children').to.equal(3);
      // This is also so on the wire.
      await node1.configure({ device: names[0], addresses: inVlan(10, 101) });
      for (const sender of [node1, c.c1]) {
        const ping = await lab.ping(sender, c.c2);
        expect(ping).to.be.answered();
        const request = { token: ping.token, sourceMac: sender.mac, vlan: 10 };
        await expect(ping).to.have.seen(echoRequest(request), sw.port('node1').in);
      }
    },
  );

  for (const [one, other, vlan] of [
    ['c1', 'c2', 10],
    ['c3', 'c4', 20],
  ] as const) {
    experiment(
      'A2.2',
      `${one} and ${other} in VLAN ${vlan}, ping across the trunk: answered both ways, tagged ${vlan} on the trunk`,
      { key: `a2-vlan-${vlan}-across-trunk` },
      async ({ lab, node1, node2, switch: sw }) => {
        for (const [from, to] of [
          [c[one], c[other]],
          [c[other], c[one]],
        ] as const) {
          const ping = await lab.ping(from, to);
          expect(ping).to.be.answered();
          const [there, back] =
            from.host === 'node1'
              ? [
                  [node1.wire.out, sw.port('node1').in, sw.port('node2').out, node2.wire.in],
                  [node2.wire.out, sw.port('node2').in, sw.port('node1').out, node1.wire.in],
                ]
              : [
                  [node2.wire.out, sw.port('node2').in, sw.port('node1').out, node1.wire.in],
                  [node1.wire.out, sw.port('node1').in, sw.port('node2').out, node2.wire.in],
                ];
          await expect(ping).to.have.seen(question(from, to, 4, vlan), ...there);
          await expect(ping).to.have.seen(echoRequest({ token: ping.token, vlan }), ...there);
          await expect(ping).to.have.seen(echoReply({ token: ping.token, vlan }), ...back);
          await expect(ping).to.have.seen(echoRequest({ token: ping.token, vlan: 'untagged' }), from.wire, to.wire);
          await expectTags(ping, [vlan], ...there, ...back);
        }
      },
    );
  }

  /** Asserts that an exchange was lost between two VLANs: its request left, and reached no child of the other VLAN. */
  async function expectApart(ping: Exchange, vlan: number, family: 4 | 6): Promise<void> {
    const { from, to } = ping;
    const [first, last] = [from.port, to.port];
    if (!first || !last) throw new TypeError('both are on the switch');
    // The switch forwards the frame to the other node, as part of its own VLAN; it sends nothing back to the sender's
    // node.
    if (from.host === to.host) expect(ping).to.be.lost(first.in, last.out);
    else expect(ping).to.be.lost(last.out, to.wire);
    await expect(ping).to.have.seen(question(from, to, family, vlan), first.in);
    await expect(ping).not.to.have.seen(question(from, to, family), to.wire);
  }

  for (const family of [4, 6] as const) {
    experiment(
      'A2.2',
      `containers in different VLANs, ${family === 4 ? 'ARP' : 'neighbour discovery'} at layer 2: nothing arrives in the other VLAN`,
      { key: `a2-vlans-apart-ipv${family}`, needs: family === 6 ? ['ipv6'] : [] },
      async ({ lab }) => {
        await expectApart(await lab.ping(c.c1, c.c4, { family }), 10, family);
        await expectApart(await lab.ping(c.c1, c.c3, { family }), 10, family);
        await expectApart(await lab.ping(c.c4, c.c1, { family }), 20, family);
      },
    );
  }

  experiment(
    'A2.3',
    'trunk with a native VLAN: traffic of the nodes is untagged, and traffic of the containers is tagged',
    { key: 'a2-native-vlan' },
    async ({ lab, node1, node2, switch: sw }) => {
      const ports = [node1.wire.out, sw.port('node1').in, sw.port('node2').out, node2.wire.in];
      const own = await lab.ping(node1, node2);
      expect(own).to.be.answered();
      await expectTags(own, [], ...ports);
      const tagged = await lab.ping(c.c1, c.c2);
      expect(tagged).to.be.answered();
      await expectTags(tagged, [10], ...ports);
      expect(await lab.ping(node2, node1)).to.be.answered();
    },
  );

  experiment(
    'A2.4',
    'VLAN not allowed on the receiver’s trunk: frames are dropped at the switch',
    { key: 'a2-vlan-not-allowed-at-receiver' },
    async ({ lab, node1, node2, switch: sw }) => {
      expect(await lab.ping(c.c1, c.c2)).to.be.answered();
      await sw.trunk('node2', { ...trunk, allowed: [20] });
      // No station can reach c2 now; c4 is its substitute, on the same port in the VLAN that is allowed.
      const ping = await lab.ping(c.c1, c.c2, { substitutes: { to: c.c4 } });
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node2').out);
      await expect(ping).to.have.seen(question(c.c1, c.c2, 4, 10), node1.wire.out, sw.port('node1').in);
      await expect(ping).not.to.have.seen(question(c.c1, c.c2), sw.port('node2').out, node2.wire.in);
      expect(await lab.ping(c.c3, c.c4)).to.be.answered();
      await sw.trunk('node2', trunk);
      expect(await lab.ping(c.c1, c.c2)).to.be.answered();
    },
  );

  experiment(
    'A2.4',
    'VLAN not allowed on the sender’s trunk: frames are dropped at the switch',
    { key: 'a2-vlan-not-allowed-at-sender' },
    async ({ lab, switch: sw, node2 }) => {
      await sw.trunk('node1', { ...trunk, allowed: [20] });
      const ping = await lab.ping(c.c1, c.c2, { substitutes: { from: c.c3 } });
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node2').out);
      await expect(ping).to.have.seen(question(c.c1, c.c2, 4, 10), sw.port('node1').in);
      await expect(ping).not.to.have.seen(question(c.c1, c.c2), sw.port('node2').out, node2.wire.in);
      expect(await lab.ping(c.c3, c.c4)).to.be.answered();
    },
  );

  experiment(
    'A2.9',
    'one NIC without and with VLANs: one layer-2 domain without VLANs, one per VLAN with VLANs',
    { key: 'a2-layer-2-domains' },
    async ({ lab, node1, node2, router, switch: sw }) => {
      await router.configure({ addresses: ['192.168.2.1/24'] });
      const [u1, u2] = await Promise.all([
        node1.endpoint('u1', { mode: 'bridge', address: ['192.168.1.41/24', ...shared(41)] }),
        node2.endpoint('u2', { mode: 'bridge', address: ['192.168.2.42/24', ...shared(42)] }),
      ]);
      const untagged = await lab.ping(u1, u2);
      expect(untagged).to.be.answered();
      expect(untagged.target).to.equal('10.0.30.42');
      await expectTags(untagged, [], sw.port('node2').out);
      // The two have only the wire in common; c1 and c4 share the same wire, and are separate.
      await expectApart(await lab.ping(c.c1, c.c4), 10, 4);
      const across = await lab.ping(u1, c.c2);
      expect(across).to.be.lost(sw.port('node2').out, c.c2.wire);
      await expectTags(across, [], sw.port('node2').out);
      await expect(across).not.to.have.seen(question(u1, c.c2), c.c2.wire);
    },
  );
});
