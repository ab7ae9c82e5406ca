/** The introduction: whether macvlan is available, how a child is created, the four modes, their cost, and the MAC addresses. */
import { expect } from '../harness/expect/expect.js';
import { isLoadedModule } from '../harness/kernel/module.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { addAddress } from '../harness/link/address.js';
import { setMac, setUp as setDeviceUp } from '../harness/link/device.js';
import { addMacvlan, type MacvlanMode } from '../harness/link/macvlan.js';
import { moveLink } from '../harness/link/namespace.js';
import { type FloodCost, measureFlood } from '../harness/probe/flood.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';
import { expectMode } from './support/modes.js';

const addresses = {
  node1: { addresses: ['192.168.8.110/24'] },
  node2: { addresses: ['192.168.8.111/24'] },
  router: { addresses: ['192.168.8.1/24'] },
};

/** The two lowest bits of a MAC's first byte: group, and locally administered (IEEE 802, 8.2.2). */
const firstByte = (mac: string) => parseInt(mac.slice(0, 2), 16);
const isUnicast = (mac: string) => (firstByte(mac) & 1) === 0;
const isLocallyAdministered = (mac: string) => (firstByte(mac) & 2) === 2;

suite('A0 introduction and four modes', { addresses }, () => {
  suite('a first child', {}, () => {
    experiment(
      'A0.1',
      'macvlan support: the kernel creates a child',
      { key: 'a0-create-child' },
      async ({ node1, observe }) => {
        const link = await node1.macvlan({ name: 'mac1' });
        expect(link.linkinfo?.info_kind).to.equal('macvlan');
        const loaded = await isLoadedModule(node1.stack, 'macvlan');
        observe('macvlan', loaded ? 'loaded module' : 'built in');
      },
    );

    experiment(
      'A0.2',
      'child created without a mode: vepa mode and a random local MAC',
      { key: 'a0-default-mode' },
      async ({ node1, observe }) => {
        const [mac1, mac2] = [await node1.macvlan({ name: 'mac1' }), await node1.macvlan({ name: 'mac2' })];
        observe('default mode', mac1.linkinfo?.info_data?.mode ?? 'none');
        // macvlan_common_newlink: vlan->mode = MACVLAN_MODE_VEPA.
        expect(mac1).to.have.macvlanMode('vepa');
        for (const { address = '' } of [mac1, mac2]) {
          expect(isUnicast(address), `${address} is unicast`).to.equal(true);
          expect(isLocallyAdministered(address), `${address} is locally administered`).to.equal(true);
        }
        expect(mac1.address).not.to.equal(mac2.address);
        expect(mac1.address).not.to.equal(node1.mac);
      },
    );

    experiment(
      'A0.3',
      'child moved to a namespace, renamed and addressed: another host replies to pings',
      { key: 'a0-child-in-namespace' },
      async ({ lab, node1, node2 }) => {
        const container = await node1.namespace('ns1');
        await node1.macvlan({ name: 'mac1', mode: 'bridge' });
        const parent = await node1.link();
        await node1.apply(moveLink(node1.stack, 'mac1', container.stack));
        expect((await node1.links()).map(({ ifname }) => ifname)).not.to.include('mac1');
        const { stdout: shown } = await container.stack.run(['ip', 'link', 'show', 'dev', 'mac1'], 'reading');
        expect(shown).to.include(`mac1@if${parent.ifindex}:`);
        await container.apply(
          moveLink(container.stack, 'mac1', container.stack, 'eth0'),
          addAddress(container.stack, 'eth0', '192.168.8.120/24'),
          setDeviceUp(container.stack, 'eth0', true),
        );
        await container.adopt('eth0', ['192.168.8.120/24']);
        const child = await container.link();
        expect(child).to.have.macvlanMode('bridge');
        expect(child).to.have.linkFlag('UP');
        expect(child.link_index).to.equal(parent.ifindex);
        expect(child.mtu, 'MTU of the child, and of its parent').to.equal(parent.mtu);
        expect(await lab.ping(container, node2)).to.be.answered();
      },
    );
  });

  suite('four modes', {}, () => {
    let ns1: Endpoint;
    let ns2: Endpoint;

    setUp(async ({ node1 }) => {
      [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
    });

    async function containers(mode: MacvlanMode): Promise<void> {
      await Promise.all([
        ns1.attach({ mode, address: '192.168.8.120/24' }),
        ns2.attach({ mode, address: '192.168.8.121/24' }),
      ]);
      expectMode([ns1, ns2], mode);
    }

    experiment(
      'A0.4',
      'bridge, ping between two containers: answered both ways',
      { key: 'a0-two-containers', modes: ['bridge'] },
      async ({ lab }) => {
        await containers('bridge');
        expect(await lab.ping(ns1, ns2)).to.be.answered();
        expect(await lab.ping(ns2, ns1)).to.be.answered();
      },
    );

    experiment(
      'A0.5',
      'private, ping between siblings: no reply, the switch does not reflect the request',
      { key: 'a0-private-siblings', modes: ['private'] },
      async ({ lab, switch: sw }) => {
        await containers('private');
        const port = sw.port('node1');
        expect(await lab.ping(ns1, ns2)).to.be.lost(port.in, port.out);
        expect(await lab.ping(ns2, ns1)).to.be.lost(port.in, port.out);
      },
    );

    experiment(
      'A0.6',
      'vepa, hairpin off, ping to a sibling: no reply, the switch does not reflect the request',
      { key: 'a0-vepa-hairpin-off', modes: ['vepa'] },
      async ({ lab, switch: sw }) => {
        await containers('vepa');
        const port = sw.port('node1');
        const ping = await lab.ping(ns1, ns2);
        await expect(ping).to.have.seen(arpRequest({ who: '192.168.8.121', tell: '192.168.8.120' }), port.in);
        expect(ping).to.be.lost(port.in, port.out);
      },
    );

    experiment(
      'A0.6',
      'vepa, hairpin on, ping to a sibling: each frame crosses the parent twice',
      { key: 'a0-vepa-hairpin-on', modes: ['vepa'] },
      async ({ lab, node1, switch: sw }) => {
        await sw.hairpin('node1', true);
        await containers('vepa');
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.answered();
        const port = sw.port('node1');
        for (const frame of [echoRequest({ token: ping.token }), echoReply({ token: ping.token })]) {
          for (const view of [node1.wire.out, port.in, port.out, node1.wire.in]) {
            await expect(ping).to.have.seenTimes(1, frame, view);
          }
        }
      },
    );

    experiment(
      'A0.7',
      'bridge, unicast between siblings: passes the parent’s receive path and stays on the node',
      { key: 'a0-bridge-siblings-inside', modes: ['bridge'] },
      async ({ lab, node1, switch: sw, observe }) => {
        await containers('bridge');
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.answered();
        const port = sw.port('node1');
        await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), port.in, node1.wire.out);
        await expect(ping).not.to.have.seen(echoReply({ token: ping.token }), port.in, node1.wire.out);
        await expect(ping).not.to.have.seen(arpReply({ isAt: ns2.mac }), port.in);
        // Two surprises. First, the ARP broadcast for the sibling leaves the node: a host outside may have the address.
        await expect(ping).to.have.seen(arpRequest({ who: '192.168.8.121', tell: '192.168.8.120' }), port.in);
        // Second, a tap on the parent shows the siblings' frames as incoming, although they came from no cable. For its
        // taps, macvlan_queue_xmit passes them to the parent with dev_forward_skb.
        await ping.finish([node1.wire.in]);
        const tapped = ping.saw(node1.wire.in, echoRequest({ token: ping.token }));
        observe('sibling frames at the parent’s tap', tapped);
        expect(tapped).to.equal(true);
      },
    );

    experiment(
      'A0.8',
      'passthru, one child: has the MAC of the parent, and a second child is refused',
      { key: 'a0-passthru-one-child', modes: ['passthru'], needs: ['macvlan mode passthru'] },
      async ({ lab, node1, node2, observe }) => {
        await ns1.attach({ mode: 'passthru', address: '192.168.8.120/24' });
        expect(ns1.mac).to.equal(node1.mac);
        for (const mode of ['bridge', 'passthru'] as const) {
          const second = addMacvlan(node1.stack, { name: 'mac2', parent: node1.device, mode });
          const refusal = await expect(node1.apply(second)).to.be.refused();
          observe(`second child, ${mode}`, refusal.stderr);
        }
        const ping = await lab.ping(ns1, node2);
        expect(ping).to.be.answered();
        await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: node1.mac }), node2.wire.in);
      },
    );

    for (const [flags, added] of [
      [[], 1],
      [['nopromisc'], 0],
    ] as const) {
      experiment(
        'A0.8',
        `passthru${flags.map((flag) => ` ${flag}`).join('')}, one child: adds ${added} to the promiscuity of the parent`,
        {
          key: `a0-passthru${flags.map((flag) => `-${flag}`).join('')}-promiscuity`,
          modes: ['passthru'],
          needs: ['macvlan mode passthru'],
        },
        async ({ lab, node1, node2 }) => {
          const { promiscuity = 0 } = await node1.link();
          await ns1.attach({ mode: 'passthru', flags, address: '192.168.8.120/24' });
          expect((await node1.link()).promiscuity, 'promiscuity of the parent').to.equal(promiscuity + added);
          // The child has the parent's MAC, which any NIC accepts.
          expect(await lab.ping(ns1, node2)).to.be.answered();
        },
      );
    }

    experiment(
      'A0.8',
      'passthru, parent with another child: creation is refused',
      { key: 'a0-passthru-beside-child', modes: ['passthru'], needs: ['macvlan mode passthru'] },
      async ({ node1, observe }) => {
        await ns1.attach({ mode: 'bridge', address: '192.168.8.120/24' });
        const second = addMacvlan(node1.stack, { name: 'mac2', parent: node1.device, mode: 'passthru' });
        const refusal = await expect(node1.apply(second)).to.be.refused();
        observe('passthru beside a child', refusal.stderr);
      },
    );

    experiment(
      'A0.13',
      'bridge, ping to the container’s own host: no reply, the switch does not reflect the request',
      { key: 'a0-bridge-own-host', modes: ['bridge'] },
      async ({ lab, node1, switch: sw }) => {
        await containers('bridge');
        const port = sw.port('node1');
        const ping = await lab.ping(ns1, node1);
        expect(ping).to.be.lost(port.in, port.out);
        await expect(ping).not.to.have.seen(arpRequest({ who: '192.168.8.110', tell: '192.168.8.120' }), node1.wire.in);
      },
    );
  });

  suite('what the modes cost', {}, () => {
    const echoes = 500;
    const size = 1000;
    let ns1: Endpoint;
    let ns2: Endpoint;

    setUp(async ({ node1 }) => {
      [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
    });

    experiment(
      'A0.9',
      'traffic between siblings: the parent transmits nothing in bridge mode, and each frame once in vepa mode',
      { key: 'a0-cost-between-siblings', modes: ['bridge', 'vepa'] },
      async ({ lab, node1, switch: sw, measure }) => {
        await sw.hairpin('node1', true);
        const cost: Record<string, FloodCost> = {};
        for (const mode of ['bridge', 'vepa'] as const) {
          cost[mode] = await lab.scopes.within(mode, async () => {
            await Promise.all([
              ns1.attach({ mode, address: '192.168.8.120/24' }),
              ns2.attach({ mode, address: '192.168.8.121/24' }),
            ]);
            expectMode([ns1, ns2], mode);
            return lab.unwatched(() =>
              measureFlood(ns1.stack, '192.168.8.121', {
                echoes,
                size,
                counted: [node1.stack, node1.device],
              }),
            );
          });
        }
        const { bridge, vepa } = cost;
        if (!bridge || !vepa) throw new TypeError('both modes were to be measured');
        const bytes = echoes * size;
        measure('bridge: bytes sent by the parent', bridge.sentBytes);
        measure('vepa: bytes sent by the parent', vepa.sentBytes);
        measure('throughput of bridge to vepa', Number((vepa.milliseconds / bridge.milliseconds).toFixed(2)));
        expect(bridge.received).to.equal(echoes);
        expect(vepa.received).to.equal(echoes);
        // Requests and replies: none of them leaves in mode bridge, each leaves and comes back once in mode vepa.
        const sent = (mode: string) => `bytes that the parent sent for siblings of mode ${mode}`;
        expect(bridge.sentBytes, sent('bridge')).to.be.below(bytes / 10);
        expect(vepa.sentBytes, sent('vepa')).to.be.within(2 * bytes, 2.5 * bytes);
        expect(vepa.receivedBytes, 'bytes that it received').to.be.within(2 * bytes, 2.5 * bytes);
      },
    );

    experiment(
      'A0.9',
      'traffic to another host, all four modes: crosses the parent once each way',
      { key: 'a0-cost-to-other-host', modes: ['private', 'passthru', 'bridge', 'vepa'] },
      async ({ lab, node1, measure }) => {
        const bytes = echoes * size;
        for (const mode of ['private', 'bridge', 'vepa', 'passthru'] as const) {
          const cost = await lab.scopes.within(mode, async () => {
            await ns1.attach({ mode, address: '192.168.8.120/24' });
            expectMode([ns1], mode);
            return lab.unwatched(() =>
              measureFlood(ns1.stack, '192.168.8.111', {
                echoes,
                size,
                counted: [node1.stack, node1.device],
              }),
            );
          });
          measure(`${mode}: bytes sent per byte of payload`, Number((cost.sentBytes / bytes).toFixed(2)));
          expect(cost.received).to.equal(echoes);
          expect(cost.sentBytes).to.be.within(bytes, 1.25 * bytes);
          expect(cost.receivedBytes).to.be.within(bytes, 1.25 * bytes);
        }
      },
    );
  });

  suite('MAC addresses set by hand', {}, () => {
    experiment('A0.10', 'child with a multicast MAC: refused', { key: 'a0-mac-multicast' }, async ({ node1 }) => {
      await expect(node1.macvlan({ name: 'mac1', mac: '03:00:00:00:00:01' })).to.be.refused('EADDRNOTAVAIL');
      await node1.macvlan({ name: 'mac1' });
      await expect(node1.apply(setMac(node1.stack, 'mac1', '03:00:00:00:00:01'))).to.be.refused('EADDRNOTAVAIL');
    });

    experiment(
      'A0.10',
      'child with a locally administered MAC: accepted, and used on the wire',
      { key: 'a0-mac-locally-administered' },
      async ({ lab, node1, node2 }) => {
        const mac = '02:00:5e:00:53:01';
        const container = await node1.endpoint('ns1', { mode: 'bridge', mac, address: '192.168.8.120/24' });
        expect(container.mac).to.equal(mac);
        const ping = await lab.ping(container, node2);
        expect(ping).to.be.answered();
        await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: mac }), node2.wire.in);
      },
    );

    experiment(
      'A0.10',
      'child with the MAC of the parent: refused when set up',
      { key: 'a0-mac-of-parent' },
      async ({ node1, observe }) => {
        // At creation the kernel accepts it; macvlan_open checks whether the address is busy when the child is set up.
        await node1.macvlan({ name: 'mac1', mac: node1.mac });
        const refusal = await expect(node1.apply(setDeviceUp(node1.stack, 'mac1', true))).to.be.refused('EADDRINUSE');
        observe('MAC of the parent', refusal.stderr);
      },
    );

    experiment(
      'A0.10',
      'child with the MAC of a sibling: refused when set up',
      { key: 'a0-mac-of-sibling' },
      async ({ node1 }) => {
        const mac = '02:00:5e:00:53:02';
        await node1.endpoint('ns1', { mode: 'bridge', mac, address: '192.168.8.120/24' });
        await node1.macvlan({ name: 'mac2', mac });
        await expect(node1.apply(setDeviceUp(node1.stack, 'mac2', true))).to.be.refused('EADDRINUSE');
      },
    );
  });
});
