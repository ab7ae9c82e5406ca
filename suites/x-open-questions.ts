/** The articles' open questions: hairpin in every mode and direction, IPv6, multicast, source mode, how strict private is. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import type { Lab } from '../harness/lab/lab.js';
import type { Station } from '../harness/exchange/station.js';
import { addNeighbour } from '../harness/link/neighbour.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import type { View } from '../harness/wire/capture-point.js';
import { arpReply, arpRequest, echoReply, echoRequest, neighbourSolicitation } from '../harness/wire/pattern.js';
import { expectMode } from './support/modes.js';

const addresses = {
  node1: { addresses: ['10.211.55.18/24', 'fd00:211:55::18/64'] },
  node2: { addresses: ['10.211.55.10/24', 'fd00:211:55::10/64'] },
  router: { addresses: ['10.211.55.1/24', 'fd00:211:55::1/64'] },
};

const one = ['10.211.55.101/24', 'fd00:211:55::101/64'];
const two = ['10.211.55.102/24', 'fd00:211:55::102/64'];

/** The result of a ping: answered, or where its first frame is lost, as printed in titles. */
type Fate =
  | 'answered'
  | 'not reflected by the switch'
  | 'reflected, not delivered to the sibling'
  | 'reflected, not delivered to the parent';

interface Row {
  mode: 'bridge' | 'private' | 'vepa';
  hairpin: boolean;
  sibling: Fate;
  /** From the child to its parent, and back. */
  toParent: Fate;
  fromParent: Fate;
  why: string;
}

/** Gateway and other host are reached in every row, in both directions. */
const table: Row[] = [
  {
    ...{
      mode: 'bridge',
      hairpin: false,
      sibling: 'answered',
      toParent: 'not reflected by the switch',
      fromParent: 'not reflected by the switch',
    },
    why: 'siblings are served by macvlan_queue_xmit; parent and child only by way of the switch',
  },
  {
    ...{
      mode: 'private',
      hairpin: false,
      sibling: 'not reflected by the switch',
      toParent: 'not reflected by the switch',
      fromParent: 'not reflected by the switch',
    },
    why: 'everything leaves, and nothing comes back',
  },
  {
    ...{
      mode: 'vepa',
      hairpin: false,
      sibling: 'not reflected by the switch',
      toParent: 'not reflected by the switch',
      fromParent: 'not reflected by the switch',
    },
    why: 'everything leaves, and nothing comes back',
  },
  {
    ...{ mode: 'bridge', hairpin: true, sibling: 'answered', toParent: 'answered', fromParent: 'answered' },
    why: 'a reflected broadcast is passed on to the parent, which answers: hairpin ends its isolation',
  },
  {
    ...{
      mode: 'private',
      hairpin: true,
      sibling: 'reflected, not delivered to the sibling',
      toParent: 'reflected, not delivered to the parent',
      fromParent: 'answered',
    },
    why: 'macvlan_handle_frame hands a reflected broadcast back to the child that sent it and consumes it; broadcasts of the parent come from no child, and reach all',
  },
  {
    ...{ mode: 'vepa', hairpin: true, sibling: 'answered', toParent: 'answered', fromParent: 'answered' },
    why: 'a reflected broadcast is flooded to the siblings and passed on to the parent',
  },
];

const whyParentIsUnheard =
  'macvlan_handle_frame is the rx_handler of the parent: it gets what the parent receives, and nothing that the parent transmits';

suite('X what the articles leave open', { addresses }, () => {
  let ns1: Endpoint;
  let ns2: Endpoint;

  setUp(async ({ node1 }) => {
    [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
  });

  /** Pings in one direction, and asserts the result. */
  async function expectFate(lab: Lab, from: Station, to: Station, fate: Fate, family: 4 | 6): Promise<void> {
    const { switch: sw, node1 } = lab;
    const port = sw.port('node1');
    const ping = await lab.ping(from, to, { family });
    if (fate === 'answered') expect(ping).to.be.answered();
    if (fate === 'not reflected by the switch') expect(ping).to.be.lost(port.in, port.out);
    if (fate === 'reflected, not delivered to the sibling') expect(ping).to.be.lost(port.out, to.wire);
    if (fate === 'reflected, not delivered to the parent') expect(ping).to.be.unansweredAt(node1.wire.in);
  }

  for (const { mode, hairpin, sibling, toParent, fromParent, why } of table) {
    const name = `${mode}, hairpin ${hairpin ? 'on' : 'off'}`;
    const slug = `${mode}-hairpin-${hairpin ? 'on' : 'off'}`;

    suite(name, { modes: [mode] }, () => {
      setUp(async ({ switch: sw }) => {
        await Promise.all([
          sw.hairpin('node1', hairpin),
          ns1.attach({ mode, address: one }),
          ns2.attach({ mode, address: two }),
        ]);
        expectMode([ns1, ns2], mode);
      });

      for (const family of [4, 6] as const) {
        const id = `X${family === 4 ? 1 : 2}`;
        const needs = family === 6 ? (['ipv6'] as const) : [];
        const keyFor = (peer: string) => `x${family === 4 ? 1 : 2}-${slug}-${peer}`;
        const titled = (what: string, fate: Fate) => `${name}${family === 6 ? ', IPv6' : ''}, ${what}: ${fate}`;

        experiment(
          `${id}.1`,
          titled('ping between siblings', sibling),
          { key: keyFor('siblings'), needs },
          async ({ lab }) => {
            await expectFate(lab, ns1, ns2, sibling, family);
            await expectFate(lab, ns2, ns1, sibling, family);
          },
        );

        experiment(
          `${id}.2`,
          titled('ping between child and gateway', 'answered'),
          { key: keyFor('gateway'), needs },
          async ({ lab, router }) => {
            await expectFate(lab, ns1, router, 'answered', family);
            await expectFate(lab, router, ns1, 'answered', family);
          },
        );

        experiment(
          `${id}.3`,
          titled('ping between child and other host', 'answered'),
          { key: keyFor('other-host'), needs },
          async ({ lab, node2 }) => {
            await expectFate(lab, ns1, node2, 'answered', family);
            await expectFate(lab, node2, ns1, 'answered', family);
          },
        );

        experiment(
          `${id}.4`,
          titled('ping from child to parent', toParent),
          { key: keyFor('to-parent'), needs },
          async ({ lab, node1, measure }) => {
            measure('why', why);
            await expectFate(lab, ns1, node1, toParent, family);
          },
        );

        experiment(
          `${id}.5`,
          titled('ping from parent to child', fromParent),
          { key: keyFor('from-parent'), needs },
          async ({ lab, node1, measure }) => {
            measure('why', fromParent === 'answered' ? why : whyParentIsUnheard);
            await expectFate(lab, node1, ns1, fromParent, family);
          },
        );
      }

      experiment(
        'X3.1',
        `${name}, multicast from a child: ${reaches(mode, hairpin) ? 'reaches' : 'does not reach'} the sibling`,
        { key: `x3-multicast-${slug}` },
        async ({ lab, node2, switch: sw, observe }) => {
          const ping = await lab.ping(ns1, ns2, { group: '224.0.0.1' });
          const echo = echoRequest({ token: ping.token, destinationMac: 'multicast' });
          await expect(ping).to.have.seen(echo, sw.port('node1').in, node2.wire.in);
          if (hairpin) await expect(ping).to.have.seen(echo, sw.port('node1').out);
          else await expect(ping).not.to.have.seen(echo, sw.port('node1').out);
          if (mode === 'bridge' && hairpin) {
            // It has received its copy inside the parent; the kernel decides whether it also receives the reflected
            // one.
            await expect(ping).to.have.seen(echo, ns2.wire);
            await ping.finish([ns1.wire, ns2.wire]);
            const copies = (view: View) => ping.seen(view).filter(({ frame }) => echo.matches(frame)).length;
            observe('copies of a reflected multicast at a bridge sibling', copies(ns2.wire));
            // Once on its way out, and once more where macvlan_multicast_rx passes it back to its sender.
            observe('times that its sender sees it', copies(ns1.wire));
          } else {
            await expect(ping).to.have.seenTimes(reaches(mode, hairpin) ? 1 : 0, echo, ns2.wire);
          }
        },
      );
    });
  }

  experiment(
    'X2.6',
    'IPv6, ping to the gateway: neighbour solicitation to the solicited-node group, and no ARP request',
    { key: 'x2-neighbour-solicitation', modes: ['bridge'], needs: ['ipv6'] },
    async ({ lab, router }) => {
      await ns1.attach({ mode: 'bridge', address: one });
      const ping = await lab.ping(ns1, router, { family: 6 });
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(
        neighbourSolicitation({ target: 'fd00:211:55::1', to: '33:33:ff:00:00:01' }),
        ns1.wire,
        router.wire,
      );
      await expect(ping).not.to.have.seen(arpRequest({ tell: '10.211.55.101', who: '10.211.55.1' }), ns1.wire);
      const { token } = ping;
      await expect(ping).to.have.seenTimes(1, echoRequest({ token, sourceMac: ns1.mac, ttl: 64 }), router.wire);
      await expect(ping).to.have.seenTimes(1, echoReply({ token, sourceMac: router.mac, ttl: 64 }), ns1.wire);
    },
  );

  experiment(
    'X4.1',
    'source, frames from listed and unlisted MACs: only frames from listed MACs reach the child',
    { key: 'x4-source-listed-only', modes: ['source'], needs: ['macvlan mode source'] },
    async ({ lab, node2, router }) => {
      await ns1.attach({ mode: 'source', sources: [router.mac], address: one });
      expect(await ns1.link()).to.have.macvlanMode('source');
      expect(await lab.ping(router, ns1)).to.be.answered();
      expect(await lab.ping(ns1, router)).to.be.answered();
      const ping = await lab.ping(ns1, node2);
      // The request leaves as in any mode; the reply comes from a MAC that is not listed.
      expect(ping).to.be.lost(lab.switch.port('node1').out, ns1.wire);
      await expect(ping).to.have.seen(arpReply({ isAt: node2.mac }), lab.node1.wire.in);
    },
  );

  experiment(
    'X4.2',
    'source, frames from a listed MAC to the parent: the child receives a copy, and the parent receives the frame',
    { key: 'x4-source-copies', modes: ['source'], needs: ['macvlan mode source'] },
    async ({ lab, node1, node2, router }) => {
      await ns1.attach({ mode: 'source', sources: [router.mac], address: one });
      // macvlan_forward_source checks only the source MAC, for any destination.
      const listed = await lab.ping(router, node1);
      expect(listed).to.be.answered();
      await expect(listed).to.have.seen(echoRequest({ token: listed.token, destinationMac: node1.mac }), ns1.wire);
      const other = await lab.ping(node2, node1);
      expect(other).to.be.answered();
      await expect(other).not.to.have.seen(echoRequest({ token: other.token }), ns1.wire);
    },
  );

  experiment(
    'X4.3',
    'source with nodst, frames from a listed MAC to the parent: reach the child, and not the parent, broadcasts included',
    { key: 'x4-source-nodst', modes: ['source'], needs: ['macvlan mode source', 'macvlan nodst'] },
    async ({ lab, node1, node2, router }) => {
      await ns1.attach({ mode: 'source', flags: ['nodst'], sources: [router.mac], address: one });
      const question = await lab.ping(router, node1);
      expect(question).to.be.unansweredAt(node1.wire.in);
      await expect(question).to.have.seen(arpRequest({ who: '10.211.55.18', to: 'broadcast' }), ns1.wire);
      await router.apply(addNeighbour(router.stack, router.device, '10.211.55.18', node1.mac));
      const unicast = await lab.ping(router, node1);
      expect(unicast).to.be.unansweredAt(node1.wire.in);
      await expect(unicast).to.have.seen(echoRequest({ token: unicast.token, destinationMac: node1.mac }), ns1.wire);
      expect(await lab.ping(node2, node1)).to.be.answered();
    },
  );

  experiment(
    'X5.1',
    'private, hairpin on, ping between siblings: no reply with empty neighbour caches, answered with static entries',
    { key: 'x5-private-siblings-static-neighbours', modes: ['private'] },
    async ({ lab, switch: sw }) => {
      await sw.hairpin('node1', true);
      await Promise.all([ns1.attach({ mode: 'private', address: one }), ns2.attach({ mode: 'private', address: two })]);
      const port = sw.port('node1');
      expect(await lab.ping(ns1, ns2)).to.be.lost(port.out, ns2.wire);
      await ns1.apply(addNeighbour(ns1.stack, ns1.device, '10.211.55.102', ns2.mac));
      await ns2.apply(addNeighbour(ns2.stack, ns2.device, '10.211.55.101', ns1.mac));
      const ping = await lab.ping(ns1, ns2);
      // For unicast, macvlan_handle_frame looks up the destination MAC alone.
      expect(ping).to.be.answered();
      await expect(ping).to.have.seen(echoRequest({ token: ping.token }), port.in, port.out, ns2.wire);
      await expect(ping).not.to.have.seen(arpRequest({ who: '10.211.55.102', tell: '10.211.55.101' }), ns1.wire);
    },
  );

  for (const family of [4, 6] as const) {
    experiment(
      'X5.2',
      `private, hairpin on${family === 6 ? ', IPv6' : ''}, ping from child to parent: no reply with an empty neighbour cache, answered after a ping from the parent`,
      { key: `x5-private-child-to-parent-ipv${family}`, modes: ['private'], needs: family === 6 ? ['ipv6'] : [] },
      async ({ lab, node1, switch: sw }) => {
        await sw.hairpin('node1', true);
        await Promise.all([
          ns1.attach({ mode: 'private', address: one }),
          ns2.attach({ mode: 'private', address: two }),
        ]);
        expect(await lab.ping(ns1, node1, { family })).to.be.unansweredAt(node1.wire.in);
        expect(await lab.ping(node1, ns1, { family })).to.be.answered();
        const warm = await lab.ping(ns1, node1, { family, keepNeighbours: true });
        expect(warm).to.be.answered();
        const port = sw.port('node1');
        await expect(warm).to.have.seen(echoRequest({ token: warm.token }), port.in, port.out, node1.wire.in);
        // Siblings do not receive each other's broadcasts, so that no ping fills their caches: not even after the
        // parent has pinged both.
        expect(await lab.ping(node1, ns2, { family })).to.be.answered();
        const sibling = await lab.ping(ns1, ns2, { family, keepNeighbours: true });
        expect(sibling).to.be.lost(port.out, ns2.wire);
      },
    );
  }
});

/** Whether a sibling receives a child's multicast: inside the parent in mode bridge, from the reflection in mode vepa. */
function reaches(mode: Row['mode'], hairpin: boolean): boolean {
  return mode === 'bridge' || (mode === 'vepa' && hairpin);
}
