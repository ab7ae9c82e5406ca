/** Article 1: bridge, private and vepa on one node, from two containers to four kinds of peer. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';
import { addresses, attachContainers } from './support/article-1.js';

suite('A1 bridge, private and vepa on one node', { addresses }, () => {
  let ns1: Endpoint;
  let ns2: Endpoint;

  setUp(async ({ node1 }) => {
    [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
  });

  suite('mode bridge', { modes: ['bridge'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await attachContainers([ns1, ns2], 'bridge');
    });

    experiment('A1.1', 'bridge: ns1 reaches its sibling, inside the parent', {}, async ({ lab, switch: sw }) => {
      const ping = await lab.ping(ns1, ns2);
      expect(ping).to.be.answered();
      // The request for the sibling's MAC is a broadcast, which does leave; what the siblings then say to each other does not.
      await expect(ping).to.have.seen(arpRequest({ tell: '10.211.55.101' }), ns2.wire, sw.port('node1').in);
      await expect(ping).not.to.have.seen(arpReply({ isAt: ns2.mac }), sw.port('node1').in);
      await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), sw.port('node1').in);
    });

    experiment('A1.1', 'bridge: ns1 reaches the gateway', {}, async ({ lab, router: gateway }) => {
      const ping = await lab.ping(ns1, gateway);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoReply({ token: ping.token, sourceMac: gateway.mac }), ns1.wire);
    });

    experiment('A1.1', 'bridge: ns1 reaches the other host', {}, async ({ lab, node2 }) => {
      const ping = await lab.ping(ns1, node2);
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoReply({ token: ping.token, sourceMac: node2.mac }), ns1.wire);
    });

    experiment('A1.1', 'bridge: ns1 does not reach its own parent', {}, async ({ lab, node1, switch: sw }) => {
      const ping = await lab.ping(ns1, node1);
      // macvlan_queue_xmit looks for the destination among the children only, and sends the rest out of the parent.
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
      await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.18', tell: '10.211.55.101' }), node1.wire.in);
    });
  });

  suite('mode private', { modes: ['private'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await attachContainers([ns1, ns2], 'private');
    });

    experiment('A1.2', 'private: ns1 does not reach its sibling', {}, async ({ lab, switch: sw }) => {
      const ping = await lab.ping(ns1, ns2);
      expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
      await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.112', tell: '10.211.55.111' }), ns2.wire);
    });

    experiment('A1.2', 'private: ns1 reaches the gateway', {}, async ({ lab, router: gateway }) => {
      expect(await lab.ping(ns1, gateway)).to.be.answered();
    });

    experiment('A1.2', 'private: ns1 reaches the other host', {}, async ({ lab, node2 }) => {
      expect(await lab.ping(ns1, node2)).to.be.answered();
    });

    experiment('A1.2', 'private: ns1 does not reach its own parent', {}, async ({ lab, node1, switch: sw }) => {
      expect(await lab.ping(ns1, node1)).to.be.lost(sw.port('node1').in, sw.port('node1').out);
    });
  });

  suite('mode vepa, switch without hairpin', { modes: ['vepa'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await attachContainers([ns1, ns2], 'vepa');
    });

    experiment(
      'A1.3',
      'vepa: ns1 does not reach its sibling, for the switch does not reflect',
      {},
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
        await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.122', tell: '10.211.55.121' }), ns2.wire);
      },
    );

    experiment('A1.3', 'vepa: ns1 reaches the gateway', {}, async ({ lab, router: gateway }) => {
      expect(await lab.ping(ns1, gateway)).to.be.answered();
    });

    experiment('A1.3', 'vepa: ns1 reaches the other host', {}, async ({ lab, node2 }) => {
      expect(await lab.ping(ns1, node2)).to.be.answered();
    });

    experiment('A1.3', 'vepa: ns1 does not reach its own parent', {}, async ({ lab, node1, switch: sw }) => {
      expect(await lab.ping(ns1, node1)).to.be.lost(sw.port('node1').in, sw.port('node1').out);
    });
  });

  suite('mode vepa, switch with hairpin', { modes: ['vepa'] }, () => {
    setUp(async ({ node1, switch: sw }) => {
      await Promise.all([node1.promiscuous(true), sw.hairpin('node1', true)]);
      await attachContainers([ns1, ns2], 'vepa');
    });

    experiment(
      'A1.4',
      'vepa with hairpin: ns1 reaches its sibling, by way of the switch',
      {},
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.answered();
        const port = sw.port('node1');
        const echo = echoRequest({ token: ping.token });
        await expect(ping).to.have.seen(arpReply({ isAt: ns2.mac }), port.in, port.out);
        await expect(ping).to.have.seenTimes(1, echo, port.in);
        await expect(ping).to.have.seenTimes(1, echo, port.out);
        await expect(ping).to.have.seenTimes(1, echo, ns2.wire);
      },
    );

    experiment('A1.4', 'vepa with hairpin: ns1 reaches the gateway', {}, async ({ lab, router: gateway }) => {
      expect(await lab.ping(ns1, gateway)).to.be.answered();
    });

    experiment('A1.4', 'vepa with hairpin: ns1 reaches the other host', {}, async ({ lab, node2 }) => {
      expect(await lab.ping(ns1, node2)).to.be.answered();
    });

    experiment('A1.4', 'vepa with hairpin: ns1 reaches even its own parent', {}, async ({ lab, node1, observe }) => {
      const ping = await lab.ping(ns1, node1);
      observe('own parent in vepa with hairpin', ping.outcome);
      // The reflected broadcast comes back to the parent's receive handler. Its source is a child in mode vepa, so that
      // macvlan_handle_frame floods it to the other children and passes it on (RX_HANDLER_PASS): the parent answers, and
      // its unicast frames come back to the children by way of the same reflection.
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(arpRequest({ who: '10.211.55.18', to: 'broadcast' }), node1.wire.in);
      await expect(ping).to.have.seen(arpReply({ isAt: node1.mac }), node1.wire.out, ns1.wire);
      await expect(ping).to.have.seen(echoReply({ token: ping.token }), node1.wire.out, ns1.wire);
    });
  });
});
