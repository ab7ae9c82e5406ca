/** Article 2's open questions: the wrong VLAN, tags on access ports, two tags, a provider's tag, hairpin within a VLAN. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { type Node, subInterfaceOf } from '../harness/lab/node.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';
import { addresses, inVlan, layTrunks, needs, routerOnAStick, shared, expectTags, trunk } from './support/vlans.js';

const untaggedHosts = {
  node1: { addresses: [...inVlan(10, 101), ...shared(101)] },
  node2: { addresses: [...inVlan(20, 102), ...shared(102)] },
};

/** A container on a new sub-interface, with the VLAN's address of a host. */
async function container(node: Node, name: string, vlan: number, host: number): Promise<Endpoint> {
  return node.endpoint(name, { mode: 'bridge', parent: await node.vlan(vlan), address: inVlan(vlan, host) });
}

suite('X VLANs on access ports', { addresses: untaggedHosts, needs }, () => {
  setUp(async ({ router, switch: sw }) => {
    await Promise.all([layTrunks(sw), routerOnAStick(router)]);
    await sw.access('node1', 10);
  });

  experiment(
    'X6.1',
    'node on an access port of VLAN 10, ping to a tagged container: answered, untagged on the access port',
    { key: 'x6-access-port', modes: ['bridge'] },
    async ({ lab, node1, node2, switch: sw }) => {
      const c2 = await container(node2, 'c2', 10, 12);
      const ping = await lab.ping(node1, c2);
      expect(ping).to.be.answered();
      await expectTags(ping, [], sw.port('node1').in);
      await expectTags(ping, [10], sw.port('node2').out);
      expect(await lab.ping(c2, node1)).to.be.answered();
    },
  );

  experiment(
    'X6.2',
    'two nodes on access ports of different VLANs: the ping is dropped at the switch',
    { key: 'x6-access-ports-of-two-vlans' },
    async ({ lab, node1, node2, switch: sw }) => {
      await sw.access('node2', 10);
      expect(await lab.ping(node1, node2)).to.be.answered();
      await sw.access('node2', 20);
      const ping = await lab.ping(node1, node2);
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node2').out);
      await expect(ping).not.to.have.seen(
        arpRequest({ tell: '10.0.30.101', who: '10.0.30.102' }),
        sw.port('node2').out,
      );
      await sw.access('node2', 10);
      expect(await lab.ping(node1, node2)).to.be.answered();
    },
  );

  experiment(
    'X6.3',
    'Linux bridge, access port, frames tagged with the VLAN of the port: forwarded, and the untagged replies do not reach the child',
    { key: 'x6-access-port-own-tag', modes: ['bridge'], needs: ['linux bridge'] },
    async ({ lab, node1, node2, switch: sw }) => {
      const [c1, c2] = await Promise.all([container(node1, 'c1', 10, 11), container(node2, 'c2', 10, 12)]);
      // No station can answer c1; its node is its substitute, untagged on the same port.
      const ping = await lab.ping(c1, c2, { substitutes: { from: node1 } });
      expect(ping).to.be.lost(sw.port('node1').out);
      await expect(ping).to.have.seen(
        arpRequest({ who: '10.0.10.12', tell: '10.0.10.11', vlan: 10 }),
        sw.port('node1').in,
      );
      const answer = arpReply({ isAt: c2.mac, to: c1.mac, vlan: 'untagged' });
      await expect(ping).to.have.seen(answer, sw.port('node1').out, node1.wire.in);
      await sw.trunk('node1', trunk);
      expect(await lab.ping(c1, c2)).to.be.answered();
    },
  );

  experiment(
    'X6.4',
    'Linux bridge, access port, frames tagged with another VLAN: dropped',
    { key: 'x6-access-port-other-tag', modes: ['bridge'], needs: ['linux bridge'] },
    async ({ lab, node1, node2, switch: sw }) => {
      const [c3, c4] = await Promise.all([container(node1, 'c3', 20, 13), container(node2, 'c4', 20, 14)]);
      const ping = await lab.ping(c3, c4, { substitutes: { from: node1 } });
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node2').out);
      await expect(ping).to.have.seen(arpRequest({ who: '10.0.20.14', vlan: 20 }), sw.port('node1').in);
      await sw.trunk('node1', trunk);
      expect(await lab.ping(c3, c4)).to.be.answered();
    },
  );
});

suite('X VLANs on trunks', { addresses, needs }, () => {
  setUp(async ({ router, switch: sw }) => {
    await Promise.all([layTrunks(sw), routerOnAStick(router)]);
  });

  experiment(
    'X7.1',
    'trunk, frames with two tags: forwarded by the outer tag, and both tags arrive',
    { key: 'x7-two-tags', modes: ['bridge'] },
    async ({ lab, node1, node2, router, switch: sw }) => {
      const doubly = async (node: Node) => node.vlan(40, { parent: await node.vlan(10) });
      const [parent1, parent2] = await Promise.all([doubly(node1), doubly(node2)]);
      // The router already has a sub-interface in VLAN 10.
      const device = await router.vlan(40, { parent: subInterfaceOf(router.device, 10) });
      await router.configure({ device, addresses: inVlan(40, 1) });
      const [d1, d2] = await Promise.all([
        node1.endpoint('d1', { mode: 'bridge', parent: parent1, address: inVlan(40, 11) }),
        node2.endpoint('d2', { mode: 'bridge', parent: parent2, address: inVlan(40, 12) }),
      ]);
      const ping = await lab.ping(d1, d2);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(
        echoReply({ token: ping.token, vlan: 10 }),
        sw.port('node2').in,
        sw.port('node1').out,
      );
      await expectTags(ping, [10, 40], ...[sw.port('node1'), sw.port('node2')].flatMap((port) => [port.in, port.out]));
      await expectTags(ping, [], d2.wire);
      // No trunk allows VLAN 40; only the outer tag must be allowed.
      await sw.trunk('node2', { native: 1, allowed: [20, 40] });
      const pruned = await lab.ping(d1, d2, { substitutes: { to: node2 } });
      expect(pruned).to.be.lost(sw.port('node1').in, sw.port('node2').out);
    },
  );

  experiment(
    'X7.2',
    'Linux bridge, two tags with the native VLAN as the outer tag (VLAN hopping): forwarded in the inner VLAN',
    { key: 'x7-vlan-hopping', modes: ['bridge'], needs: ['linux bridge'] },
    async ({ lab, node1, node2, switch: sw }) => {
      const hidden = await node1.vlan(20, { parent: await node1.vlan(1) });
      const intruder = await node1.endpoint('intruder', { mode: 'bridge', parent: hidden, address: shared(11) });
      const c4 = await node2.endpoint('c4', {
        mode: 'bridge',
        parent: await node2.vlan(20),
        address: [...inVlan(20, 14), ...shared(14)],
      });
      const question = { who: '10.0.30.14', tell: '10.0.30.11' };
      const ping = await lab.ping(intruder, c4, { substitutes: { from: node1 } });
      // One direction only: c4's replies go to VLAN 20 of node1, where the intruder is not.
      expect(ping).to.be.lost(sw.port('node1').out);
      await expect(ping).to.have.seen(arpRequest({ ...question, vlan: 1 }), sw.port('node1').in);
      await expect(ping).to.have.seen(arpRequest({ ...question, vlan: 20 }), sw.port('node2').out);
      await expect(ping).to.have.seen(arpRequest(question), c4.wire);
      // A trunk that sends its native VLAN with a tag stops the frame.
      await sw.trunk('node2', { allowed: [1, 10, 20] });
      const kept = await lab.ping(intruder, c4, { substitutes: { from: node1 } });
      expect(kept).to.be.lost(sw.port('node2').out, c4.wire);
      await expect(kept).to.have.seen(arpRequest({ ...question, vlan: 1 }), sw.port('node2').out);
    },
  );

  experiment(
    'X7.3',
    'Linux bridge, frame with an 802.1ad tag: treated as untagged, and forwarded in the native VLAN',
    { key: 'x7-802-1ad-tag', modes: ['bridge'], needs: ['linux bridge'] },
    async ({ lab, node1, node2, router, switch: sw }) => {
      const outer = (node: Node) => node.vlan(50, { protocol: '802.1ad' });
      const [parent1, parent2, device] = await Promise.all([outer(node1), outer(node2), outer(router)]);
      await router.configure({ device, addresses: inVlan(50, 1) });
      const [s1, s2] = await Promise.all([
        node1.endpoint('s1', { mode: 'bridge', parent: parent1, address: inVlan(50, 11) }),
        node2.endpoint('s2', { mode: 'bridge', parent: parent2, address: inVlan(50, 12) }),
      ]);
      const ping = await lab.ping(s1, s2);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoRequest({ token: ping.token, vlan: 50 }), sw.port('node2').out);
      const [frame] = ping.own(sw.port('node2').out);
      expect(frame?.frame.vlans.map(({ protocol }) => protocol)).to.deep.equal([0x88a8]);
      await expectTags(ping, [50], sw.port('node1').in);
      // No trunk allows VLAN 50; the frame needs only the native VLAN.
      const c2 = await container(node2, 'c2', 10, 12);
      await sw.trunk('node2', { allowed: [10, 20, 50] });
      const barred = await lab.ping(s1, s2, { substitutes: { to: c2 } });
      expect(barred).to.be.lost(sw.port('node1').in, sw.port('node2').out);
    },
  );

  experiment(
    'X7.4',
    'broadcast in a VLAN without a sub-interface on the receiver: answered by no stack of the node',
    { key: 'x7-no-sub-interface', modes: ['bridge'] },
    async ({ lab, node1, node2, router, switch: sw, observe }) => {
      await Promise.all([...sw.ports.keys()].map((port) => sw.trunk(port, { native: 1, allowed: [10, 20, 60] })));
      const device = await router.vlan(60);
      await router.configure({ device, addresses: inVlan(60, 1) });
      const [e1, u2] = await Promise.all([
        node1.endpoint('e1', {
          mode: 'bridge',
          parent: await node1.vlan(60),
          address: [...inVlan(60, 11), ...shared(11)],
        }),
        node2.endpoint('u2', { mode: 'bridge', address: ['192.168.1.42/24', ...shared(42)] }),
      ]);
      const ping = await lab.ping(e1, u2);
      expect(ping).to.be.lost();
      const question = arpRequest({ who: '10.0.30.42', tell: '10.0.30.11', vlan: 60 });
      await expect(ping).to.have.seen(question, sw.port('node2').out);
      await expect(ping).not.to.have.seen(arpReply({ from: '10.0.30.42' }), u2.wire, sw.port('node2').in);
      // Where the NIC does not filter VLANs, the parent’s children receive the frame with its tag, as one for another
      // host.
      await ping.finish([u2.wire]);
      observe(
        'a child of the parent is shown broadcasts of VLANs without a sub-interface',
        ping.saw(u2.wire, question),
      );
    },
  );

  for (const [mode, hairpin, fate] of [
    ['vepa', false, 'not reflected by the switch'],
    ['vepa', true, 'answered'],
    ['private', true, 'reflected, not delivered to the sibling'],
  ] as const) {
    experiment(
      'X8.1',
      `${mode}, hairpin ${hairpin ? 'on' : 'off'}, children in two VLANs: ping within VLAN 10 is ${fate}; ping to VLAN 20 is not answered`,
      { key: `x8-${mode}-hairpin-${hairpin ? 'on' : 'off'}`, modes: [mode] },
      async ({ lab, node1, switch: sw }) => {
        const port = sw.port('node1');
        await sw.hairpin('node1', hairpin);
        const [ten, twenty] = await Promise.all([node1.vlan(10), node1.vlan(20)]);
        const [v1, v2, v3] = await Promise.all([
          node1.endpoint('v1', { mode, parent: ten, address: [...inVlan(10, 11), ...shared(11)] }),
          node1.endpoint('v2', { mode, parent: ten, address: [...inVlan(10, 12), ...shared(12)] }),
          node1.endpoint('v3', { mode, parent: twenty, address: [...inVlan(20, 13), ...shared(13)] }),
        ]);
        const sibling = await lab.ping(v1, v2);
        if (fate === 'answered') {
          expect(sibling).to.be.answered();
          await expect(sibling).to.have.seen(echoRequest({ token: sibling.token, vlan: 10 }), port.in, port.out);
          await expectTags(sibling, [10], port.in, port.out);
        } else if (hairpin) expect(sibling).to.be.lost(port.out, v2.wire);
        else expect(sibling).to.be.lost(port.in, port.out);

        const other = await lab.ping(v1, v3);
        if (hairpin) expect(other).to.be.lost(port.out, v3.wire);
        else expect(other).to.be.lost(port.in, port.out);
        await expect(other).to.have.seen(arpRequest({ who: '10.0.30.13', vlan: 10 }), port.in);
      },
    );
  }
});
