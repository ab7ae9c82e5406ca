/** Article 4: bridge-mode connectivity in detail, with a router, a client on its other side, and the workaround for the own parent. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { arping } from '../harness/probe/arping.js';
import { addRoute } from '../harness/link/route.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';

const addresses = {
  node1: { addresses: ['192.168.179.9/16'], routes: [{ to: 'default', via: '192.168.1.1' }] },
  node2: { addresses: ['192.168.179.10/16'], routes: [{ to: 'default', via: '192.168.1.1' }] },
  router: { addresses: ['192.168.1.1/16'], behind: ['10.8.0.1/16'] },
  client: { addresses: ['10.8.0.241/16'], routes: [{ to: 'default', via: '10.8.0.1' }] },
};

suite('A4 bridge mode in depth', { addresses, modes: ['bridge'] }, () => {
  let ns1: Endpoint;
  let ns2: Endpoint;
  let ns3: Endpoint;

  setUp(async ({ node1, node2 }) => {
    const mac1 = { mode: 'bridge', device: 'mac1' } as const;
    [ns1, ns2, ns3] = await Promise.all([
      node1.endpoint('ns1', { ...mac1, address: '192.168.179.12/16' }),
      node1.endpoint('ns2', { ...mac1, address: '192.168.179.13/16' }),
      node2.endpoint('ns3', { ...mac1, address: '192.168.179.14/16' }),
    ]);
  });

  experiment('A4.1', 'bridge child, ip -d link show: prints macvlan mode bridge', { key: 'a4-link-show' }, async () => {
    expect(await ns1.link()).to.have.macvlanMode('bridge');
    const { stdout } = await ns1.stack.run(['ip', '-d', 'link', 'show', 'mac1'], 'reading');
    expect(stdout).to.match(/macvlan +mode bridge/);
  });

  experiment(
    'A4.2',
    'bridge, ping between ns1 and ns2 on node1: answered both ways',
    { key: 'a4-siblings' },
    async ({ lab }) => {
      expect(await lab.ping(ns1, ns2)).to.be.answered();
      expect(await lab.ping(ns2, ns1)).to.be.answered();
    },
  );

  experiment(
    'A4.3',
    'bridge, ping from ns1 to node2: answered',
    { key: 'a4-to-other-node' },
    async ({ lab, node2 }) => {
      const ping = await lab.ping(ns1, node2);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: ns1.mac }), node2.wire.in);
    },
  );

  experiment(
    'A4.4',
    'bridge, ping from ns1 to the container of node2: answered',
    { key: 'a4-to-remote-container' },
    async ({ lab, switch: sw }) => {
      const ping = await lab.ping(ns1, ns3);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoReply({ token: ping.token }), ns3.wire, sw.port('node2').in, ns1.wire);
    },
  );

  experiment(
    'A4.5',
    'ping from a client behind the router, ns1 without a default route: the request arrives, and no reply leaves',
    { key: 'a4-no-default-route' },
    async ({ lab, client, switch: sw }) => {
      const ping = await lab.ping(client, ns1);
      expect(ping).to.be.unansweredAt(ns1.wire);
      await expect(ping).to.have.seen(
        echoRequest({ token: ping.token, from: '10.8.0.241', to: '192.168.179.12', ttl: 63 }),
        ns1.wire,
      );
      await expect(ping).not.to.have.seen(echoReply({ token: ping.token }), ns1.wire, sw.port('node1').in);
    },
  );

  experiment(
    'A4.6',
    'ping from a client behind the router, ns1 with a default route: answered',
    { key: 'a4-default-route' },
    async ({ lab, client }) => {
      await ns1.apply(addRoute(ns1.stack, { to: 'default', via: '192.168.1.1', device: 'mac1' }));
      const ping = await lab.ping(client, ns1);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(
        echoReply({ token: ping.token, from: '192.168.179.12', to: '10.8.0.241' }),
        ns1.wire,
        client.wire,
      );
    },
  );

  experiment(
    'A4.7',
    'bridge, ping from ns1 to the parent: no reply, the switch does not reflect the request',
    { key: 'a4-to-parent' },
    async ({ lab, node1, switch: sw }) => {
      const ping = await lab.ping(ns1, node1);
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
      await expect(ping).not.to.have.seen(arpRequest({ who: '192.168.179.9', tell: '192.168.179.12' }), node1.wire.in);
    },
  );

  experiment(
    'A4.8',
    'host-side macvlan with the node’s address (shim): ns1 reaches the node, and open sessions survive',
    { key: 'a4-host-side-macvlan', needs: ['uplink may be cut'] },
    async ({ lab, node1, node2, measure }) => {
      const control = await lab.ping(node2, node1);
      expect(control).to.be.answered();
      // A session whose packets use the link that is changed: from node2, through the switch, to node1.
      const session = await lab.sessionOverTheWire(node2, node1);
      const before = await session.run(['echo', 'before']);
      expect(before).to.include({ status: 0, stdout: 'before\n' });
      const takeover = await node1.takeOver('mac0', { through: session });
      expect(takeover).to.include({ status: 0 });
      const after = await session.run(['ip', '-br', 'address', 'show', 'mac0']);
      expect(after.stdout).to.include('192.168.179.9/16');

      const ping = await lab.ping(ns1, node1);
      expect(ping).to.be.answered();
      const mac0 = await node1.link('mac0');
      await expect(ping).to.have.seen(arpReply({ isAt: mac0.address ?? '' }), ns1.wire);
      const [reply] = ping.own(ns1.wire).filter(({ frame }) => frame.icmp?.kind === 'echo reply');
      expect(reply?.frame.ethernet?.source).to.equal(mac0.address);
      // For other hosts, mac0 and the parent both answer. Both receive the request, and by default Linux answers on any
      // device for any of its addresses (ip-sysctl.rst, arp_ignore). Either answer leads to the node.
      const { macs } = await arping(node2.stack, '192.168.179.9', { device: node2.device });
      const answerers = macs.map((mac) => (mac === mac0.address ? 'mac0' : mac === node1.mac ? 'the parent' : mac));
      measure('first to answer node2 after the takeover', answerers[0] ?? 'nobody');
      expect(answerers[0]).to.be.oneOf(['mac0', 'the parent']);
      expect(await lab.ping(node2, node1)).to.be.answered();
      session.close();
    },
  );

  experiment(
    'A4.9',
    'parent set down, then up: the children send nothing while the parent is down, then recover',
    { key: 'a4-parent-down-and-up', needs: ['uplink may be cut'] },
    async ({ lab, node1, node2, router, switch: sw, measure }) => {
      const port = sw.port('node1');
      expect(await lab.ping(ns1, node2)).to.be.answered();
      await node1.setUplink('down');
      // A child copies its parent's carrier (macvlan.c, macvlan_device_event). A NIC may keep its carrier while it is
      // down: virtio_net of older kernels does.
      measure('the child’s flags with the parent down', (await ns1.link()).flags.join(' '));
      const cut = [await lab.pingExpectingNoReply(ns1, node2), await lab.pingExpectingNoReply(ns1, ns2)];
      await node1.setUplink('up');
      await lab.forgetNeighbours([ns1, ns2]);
      expect(await lab.ping(ns1, router)).to.be.answered();
      // The recovered ping used the same path after the lost one: frames that had not left by then never did.
      for (const lost of cut) {
        expect(lost.ping.received, `${lost.from.name} to ${lost.to.name}`).to.equal(0);
        await expect(lost).not.to.have.seen(echoRequest({ token: lost.token }), port.in);
        await expect(lost).not.to.have.seen(arpRequest({ tell: '192.168.179.12' }), port.in);
      }
      expect(await lab.ping(ns1, node2)).to.be.answered();
      expect(await lab.ping(ns2, ns1)).to.be.answered();
    },
  );
});
