/** Article 1: bridge, private and vepa on one node, from two containers to four kinds of peer. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import type { MacvlanMode } from '../harness/link/macvlan.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';

const addresses = {
  node1: { addresses: ['10.211.55.18/24'] },
  node2: { addresses: ['10.211.55.10/24'] },
  router: { addresses: ['10.211.55.1/24'] },
};

/** The last digits of the two containers' addresses, as the article counts them per mode. */
const hosts = { bridge: [101, 102], private: [111, 112], vepa: [121, 122] } as const;

suite('A1 bridge, private and vepa on one node', { addresses }, () => {
  let ns1: Endpoint;
  let ns2: Endpoint;

  setUp(async ({ node1 }) => {
    [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
  });

  /** The article's children: promiscuous, as their parent is, unless an experiment is about that. */
  async function containers(mode: keyof typeof hosts, promiscuous = true): Promise<void> {
    const [one, two] = hosts[mode];
    await Promise.all([
      ns1.attach({ mode, promiscuous, address: `10.211.55.${one}/24` }),
      ns2.attach({ mode, promiscuous, address: `10.211.55.${two}/24` }),
    ]);
  }

  suite('mode bridge', { modes: ['bridge'] }, () => {
    setUp(async ({ node1 }) => {
      await node1.promiscuous(true);
      await containers('bridge');
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
      expect(await lab.ping(ns1, gateway)).to.be.answered();
    });

    experiment('A1.1', 'bridge: ns1 reaches the other host', {}, async ({ lab, node2 }) => {
      expect(await lab.ping(ns1, node2)).to.be.answered();
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
      await containers('private');
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
      await containers('vepa');
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
      await containers('vepa');
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

  suite('one mode after the other', {}, () => {
    experiment(
      'A1.6',
      'private is stricter than vepa: what a hairpin switch reflects of a broadcast reaches no sibling',
      { modes: ['private', 'vepa'] },
      async ({ lab, node1, switch: sw, observe }) => {
        await sw.hairpin('node1', true);
        await containers('private');
        const ping = await lab.ping(ns1, ns2);
        const request = arpRequest({ who: '10.211.55.112', tell: '10.211.55.111', to: 'broadcast' });
        observe('broadcast of a private child, reflected', ping.reason);
        // macvlan_handle_frame hands a reflected broadcast of a private child back to that child alone, and consumes it.
        expect(ping).to.be.lost(sw.port('node1').out, ns2.wire);
        await expect(ping).to.have.seen(request, sw.port('node1').out, node1.wire.in);
        await expect(ping).not.to.have.seen(request, ns2.wire);
        await expect(ping).to.have.seenTimes(2, request, ns1.wire);
      },
    );

    experiment(
      'A1.7',
      'deleting the children leaves nothing that disturbs the next mode',
      { modes: ['bridge', 'private', 'vepa'] },
      async ({ lab, node1 }) => {
        const before = await cleanLinks(node1);
        for (const mode of ['bridge', 'private', 'vepa', 'bridge'] as const satisfies readonly MacvlanMode[]) {
          lab.scopes.enter(`children of mode ${mode}`);
          await containers(mode, false);
          expect(await ns1.link()).to.have.macvlanMode(mode);
          expect((await lab.ping(ns1, ns2)).outcome).to.equal(mode === 'bridge' ? 'answered' : 'lost');
          await lab.scopes.leave();
          expect(await cleanLinks(node1)).to.deep.equal(before);
        }
        for (const namespace of [ns1, ns2]) {
          const { stdout } = await namespace.stack.run(['ip', '-br', 'link', 'show'], 'reading');
          expect(stdout.trim().split('\n')).to.have.lengthOf(1).and.to.match(/^lo/);
        }
      },
    );
  });
});

/** Names, flags and promiscuity of a node's links: what a child could have left behind on them. */
async function cleanLinks(node: {
  links(): Promise<{ ifname: string; flags: string[]; promiscuity?: number | undefined }[]>;
}) {
  return (await node.links()).map(({ ifname, flags, promiscuity }) => ({ ifname, flags, promiscuity }));
}
