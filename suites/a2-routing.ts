/** Article 2: from one VLAN to the other, and between the physical and the container network, through a router on a stick. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import type { Exchange } from '../harness/exchange/exchange.js';
import type { Switch } from '../harness/lab/switch/switch.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';
import { addresses, type Containers, layTrunks, makeContainers, needs, routerOnAStick } from './support/vlans.js';

/** Asserts that the router forwarded a ping's request and reply, each one hop older, from one tag to the other. */
async function expectRouted(ping: Exchange, sw: Switch, vlan: Record<'there' | 'back', number | 'untagged'>) {
  expect(ping).to.be.answered();
  const { token } = ping;
  const { in: fromRouter, out: toRouter } = sw.port('router');
  await expect(ping).to.have.seen(echoRequest({ token, vlan: vlan.there, ttl: 64 }), toRouter);
  await expect(ping).to.have.seen(echoRequest({ token, vlan: vlan.back, ttl: 63 }), fromRouter);
  await expect(ping).to.have.seen(echoReply({ token, vlan: vlan.back, ttl: 64 }), toRouter);
  await expect(ping).to.have.seen(echoReply({ token, vlan: vlan.there, ttl: 63 }), fromRouter);
  await expect(ping).to.have.seen(echoRequest({ token, ttl: 63 }), ping.to.wire);
}

suite('A2 router on a stick', { addresses, needs, modes: ['bridge'] }, () => {
  let c: Containers;

  setUp(async (bench) => {
    await Promise.all([layTrunks(bench.switch), routerOnAStick(bench.router)]);
    c = await makeContainers(bench, (vlan) => ({
      routes: [
        { to: 'default', via: `10.0.${vlan}.1` },
        { to: 'default', via: `2001:db8:babe:${vlan}::1` },
      ],
    }));
  });

  for (const family of [4, 6] as const) {
    experiment(
      'A2.5',
      `router on a stick, IPv${family}, ping from VLAN 10 to VLAN 20: answered on one node and across nodes`,
      { key: `a2-routed-ipv${family}`, needs: family === 6 ? ['ipv6'] : [] },
      async ({ lab, switch: sw }) => {
        await expectRouted(await lab.ping(c.c1, c.c3, { family }), sw, { there: 10, back: 20 });
        await expectRouted(await lab.ping(c.c1, c.c4, { family }), sw, { there: 10, back: 20 });
        await expectRouted(await lab.ping(c.c4, c.c1, { family }), sw, { there: 20, back: 10 });
      },
    );

    experiment(
      'A2.5',
      `router without forwarding, IPv${family}, ping from VLAN 10 to VLAN 20: no reply, the request ends at the router`,
      { key: `a2-router-off-ipv${family}`, needs: family === 6 ? ['ipv6'] : [] },
      async ({ lab, router, switch: sw }) => {
        await router.forwarding(false);
        const ping = await lab.ping(c.c1, c.c4, { family });
        expect(ping).to.be.lost(sw.port('node1').in, sw.port('node2').out);
        await expect(ping).to.have.seen(echoRequest({ token: ping.token, vlan: 10 }), sw.port('router').out);
        await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), sw.port('router').in, c.c4.wire);
      },
    );
  }
});

const physical = {
  node1: { addresses: ['192.168.0.11/16'], routes: [{ to: 'default', via: '192.168.0.1' }] },
  node2: { addresses: ['192.168.0.12/16'], routes: [{ to: 'default', via: '192.168.0.1' }] },
  router: { addresses: ['192.168.0.1/16'] },
};

suite('A2 physical and container network apart', { addresses: physical, needs, modes: ['bridge'] }, () => {
  let here: Endpoint;
  let there: Endpoint;

  setUp(async ({ node1, node2, router, switch: sw }) => {
    await layTrunks(sw, { native: 1, allowed: [10] });
    const [device, parent1, parent2] = await Promise.all([router.vlan(10), node1.vlan(10), node2.vlan(10)]);
    const container = { mode: 'bridge', routes: [{ to: 'default', via: '172.31.0.1' }] } as const;
    await router.configure({ device, addresses: ['172.31.0.1/16'] });
    [here, there] = await Promise.all([
      node1.endpoint('here', { ...container, parent: parent1, address: '172.31.0.11/16' }),
      node2.endpoint('there', { ...container, parent: parent2, address: '172.31.0.12/16' }),
    ]);
  });

  experiment(
    'A2.6',
    'nodes and containers in different VLANs, ping both ways: answered through the router, also on one node',
    { key: 'a2-node-and-containers-routed' },
    async ({ lab, node1, switch: sw }) => {
      for (const container of [here, there]) {
        await expectRouted(await lab.ping(node1, container), sw, { there: 'untagged', back: 10 });
        await expectRouted(await lab.ping(container, node1), sw, { there: 10, back: 'untagged' });
      }
    },
  );

  experiment(
    'A2.6',
    'nodes and containers in different VLANs, router without forwarding: no container replies to a node',
    { key: 'a2-node-and-containers-router-off' },
    async ({ lab, node1, router, switch: sw }) => {
      await router.forwarding(false);
      for (const container of [here, there]) {
        const ping = await lab.ping(node1, container);
        const port = container.port ?? sw.port('node1');
        expect(ping).to.be.lost(sw.port('node1').in, port.out);
        await expect(ping).to.have.seen(echoRequest({ token: ping.token, vlan: 'untagged' }), sw.port('router').out);
        await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), sw.port('router').in, container.wire);
      }
      await router.forwarding(true);
      expect(await lab.ping(node1, here)).to.be.answered();
    },
  );

  experiment(
    'A2.6',
    'untagged node with an address of the container network: the ARP request reaches no container',
    { key: 'a2-node-with-container-address' },
    async ({ lab, node1, switch: sw }) => {
      await node1.configure({ addresses: ['172.31.0.101/16'] });
      const ping = await lab.ping(node1, there);
      expect(ping).to.be.lost(sw.port('node2').out, there.wire);
      const asked = { who: '172.31.0.12', tell: '172.31.0.101' };
      await expect(ping).to.have.seen(arpRequest({ ...asked, vlan: 'untagged' }), sw.port('node2').out);
      await expect(ping).not.to.have.seen(arpRequest(asked), there.wire);
    },
  );
});
