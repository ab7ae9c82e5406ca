/** Article 1: modes bridge, private and vepa on one node. The children ping a sibling, the gateway, another host and their parent. */
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

    experiment(
      'A1.1',
      'bridge, ping to a sibling: answered inside the parent',
      { key: 'a1-bridge-to-sibling' },
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.answered();
        // The ARP request for the sibling is a broadcast, which leaves the node. The siblings' unicast frames do not.
        await expect(ping).to.have.seen(arpRequest({ tell: '10.211.55.101' }), ns2.wire, sw.port('node1').in);
        await expect(ping).not.to.have.seen(arpReply({ isAt: ns2.mac }), sw.port('node1').in);
        await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), sw.port('node1').in);
      },
    );

    experiment(
      'A1.1',
      'bridge, ping to the gateway: answered',
      { key: 'a1-bridge-to-gateway' },
      async ({ lab, router: gateway }) => {
        const ping = await lab.ping(ns1, gateway);
        expect(ping).to.be.answered();
        await expect(ping).to.have.seen(echoReply({ token: ping.token, sourceMac: gateway.mac }), ns1.wire);
      },
    );

    experiment(
      'A1.1',
      'bridge, ping to another host: answered',
      { key: 'a1-bridge-to-other-host' },
      async ({ lab, node2 }) => {
        const ping = await lab.ping(ns1, node2);
        expect(ping).to.be.answered();
        await expect(ping).to.have.seen(echoReply({ token: ping.token, sourceMac: node2.mac }), ns1.wire);
      },
    );

    experiment(
      'A1.1',
      'bridge, ping to the parent: no reply, the switch does not reflect the request',
      { key: 'a1-bridge-to-parent' },
      async ({ lab, node1, switch: sw }) => {
        const ping = await lab.ping(ns1, node1);
        // macvlan_queue_xmit looks for the destination among the children only, and sends the rest out of the parent.
        expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
        await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.18', tell: '10.211.55.101' }), node1.wire.in);
      },
    );
  });

  suite('mode private', { modes: ['private'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await attachContainers([ns1, ns2], 'private');
    });

    experiment(
      'A1.2',
      'private, ping to a sibling: no reply, the switch does not reflect the request',
      { key: 'a1-private-to-sibling' },
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
        await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.112', tell: '10.211.55.111' }), ns2.wire);
      },
    );

    experiment(
      'A1.2',
      'private, ping to the gateway: answered',
      { key: 'a1-private-to-gateway' },
      async ({ lab, router: gateway }) => {
        expect(await lab.ping(ns1, gateway)).to.be.answered();
      },
    );

    experiment(
      'A1.2',
      'private, ping to another host: answered',
      { key: 'a1-private-to-other-host' },
      async ({ lab, node2 }) => {
        expect(await lab.ping(ns1, node2)).to.be.answered();
      },
    );

    experiment(
      'A1.2',
      'private, ping to the parent: no reply, the switch does not reflect the request',
      { key: 'a1-private-to-parent' },
      async ({ lab, node1, switch: sw }) => {
        expect(await lab.ping(ns1, node1)).to.be.lost(sw.port('node1').in, sw.port('node1').out);
      },
    );
  });

  suite('mode vepa, switch without hairpin', { modes: ['vepa'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await attachContainers([ns1, ns2], 'vepa');
    });

    experiment(
      'A1.3',
      'vepa, hairpin off, ping to a sibling: no reply, the switch does not reflect the request',
      { key: 'a1-vepa-to-sibling' },
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(ns1, ns2);
        expect(ping).to.be.lost(sw.port('node1').in, sw.port('node1').out);
        await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.122', tell: '10.211.55.121' }), ns2.wire);
      },
    );

    experiment(
      'A1.3',
      'vepa, hairpin off, ping to the gateway: answered',
      { key: 'a1-vepa-to-gateway' },
      async ({ lab, router: gateway }) => {
        expect(await lab.ping(ns1, gateway)).to.be.answered();
      },
    );

    experiment(
      'A1.3',
      'vepa, hairpin off, ping to another host: answered',
      { key: 'a1-vepa-to-other-host' },
      async ({ lab, node2 }) => {
        expect(await lab.ping(ns1, node2)).to.be.answered();
      },
    );

    experiment(
      'A1.3',
      'vepa, hairpin off, ping to the parent: no reply, the switch does not reflect the request',
      { key: 'a1-vepa-to-parent' },
      async ({ lab, node1, switch: sw }) => {
        expect(await lab.ping(ns1, node1)).to.be.lost(sw.port('node1').in, sw.port('node1').out);
      },
    );
  });

  suite('mode vepa, switch with hairpin', { modes: ['vepa'] }, () => {
    setUp(async ({ node1, switch: sw }) => {
      await Promise.all([node1.promiscuous(true), sw.hairpin('node1', true)]);
      await attachContainers([ns1, ns2], 'vepa');
    });

    experiment(
      'A1.4',
      'vepa, hairpin on, ping to a sibling: answered through the switch',
      { key: 'a1-vepa-hairpin-to-sibling' },
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

    experiment(
      'A1.4',
      'vepa, hairpin on, ping to the gateway: answered',
      { key: 'a1-vepa-hairpin-to-gateway' },
      async ({ lab, router: gateway }) => {
        expect(await lab.ping(ns1, gateway)).to.be.answered();
      },
    );

    experiment(
      'A1.4',
      'vepa, hairpin on, ping to another host: answered',
      { key: 'a1-vepa-hairpin-to-other-host' },
      async ({ lab, node2 }) => {
        expect(await lab.ping(ns1, node2)).to.be.answered();
      },
    );

    experiment(
      'A1.4',
      'vepa, hairpin on, ping to the parent: answered',
      { key: 'a1-vepa-hairpin-to-parent' },
      async ({ lab, node1, observe }) => {
        const ping = await lab.ping(ns1, node1);
        observe('own parent in vepa with hairpin', ping.outcome);
        // The switch reflects the broadcast to the parent's receive handler. Its source is a child in mode vepa, so
        // macvlan_handle_frame floods it to the other children and passes it to the parent's stack (RX_HANDLER_PASS).
        // The parent answers, and its unicast frames reach the children by the same reflection.
        expect(ping).to.be.answered();
        await expect(ping).to.have.seen(arpRequest({ who: '10.211.55.18', to: 'broadcast' }), node1.wire.in);
        await expect(ping).to.have.seen(arpReply({ isAt: node1.mac }), node1.wire.out, ns1.wire);
        await expect(ping).to.have.seen(echoReply({ token: ping.token }), node1.wire.out, ns1.wire);
      },
    );
  });
});
