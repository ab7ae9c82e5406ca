/** What the articles leave open: hairpin in every mode and direction, IPv6, multicast, source mode, how private private is. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import type { Lab } from '../harness/lab/lab.js';
import type { Station } from '../harness/lab/station.js';
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

/** What becomes of a ping: who asked is answered, or where its first frame is lost. */
type Fate = 'answered' | 'not reflected' | 'kept from the sibling' | 'kept from the parent';

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
    ...{ mode: 'bridge', hairpin: false, sibling: 'answered', toParent: 'not reflected', fromParent: 'not reflected' },
    why: 'siblings are served by macvlan_queue_xmit; parent and child only by way of the switch',
  },
  {
    ...{
      mode: 'private',
      hairpin: false,
      sibling: 'not reflected',
      toParent: 'not reflected',
      fromParent: 'not reflected',
    },
    why: 'everything leaves, and nothing comes back',
  },
  {
    ...{
      mode: 'vepa',
      hairpin: false,
      sibling: 'not reflected',
      toParent: 'not reflected',
      fromParent: 'not reflected',
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
      sibling: 'kept from the sibling',
      toParent: 'kept from the parent',
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

  /** Pings one way, and states what becomes of it. */
  async function expectFate(lab: Lab, from: Station, to: Station, fate: Fate, family: 4 | 6): Promise<void> {
    const { switch: sw, node1 } = lab;
    const port = sw.port('node1');
    const ping = await lab.ping(from, to, { family });
    if (fate === 'answered') expect(ping).to.be.answered();
    if (fate === 'not reflected') expect(ping).to.be.lost(port.in, port.out);
    if (fate === 'kept from the sibling') expect(ping).to.be.lost(port.out, to.wire);
    if (fate === 'kept from the parent') expect(ping).to.be.unansweredAt(node1.wire.in);
  }

  for (const { mode, hairpin, sibling, toParent, fromParent, why } of table) {
    const name = `${mode}, hairpin ${hairpin ? 'on' : 'off'}`;

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
        const said = (peer: string, fate: Fate) => `${name}${family === 6 ? ', IPv6' : ''}: ${peer}: ${fate}`;

        experiment(`${id}.1`, said('siblings, in both directions', sibling), { needs }, async ({ lab }) => {
          await expectFate(lab, ns1, ns2, sibling, family);
          await expectFate(lab, ns2, ns1, sibling, family);
        });

        experiment(
          `${id}.2`,
          said('child and gateway, in both directions', 'answered'),
          { needs },
          async ({ lab, router }) => {
            await expectFate(lab, ns1, router, 'answered', family);
            await expectFate(lab, router, ns1, 'answered', family);
          },
        );

        experiment(
          `${id}.3`,
          said('child and other host, in both directions', 'answered'),
          { needs },
          async ({ lab, node2 }) => {
            await expectFate(lab, ns1, node2, 'answered', family);
            await expectFate(lab, node2, ns1, 'answered', family);
          },
        );

        experiment(`${id}.4`, said('child to its own parent', toParent), { needs }, async ({ lab, node1, measure }) => {
          measure('why', why);
          await expectFate(lab, ns1, node1, toParent, family);
        });

        experiment(
          `${id}.5`,
          said('parent to its own child', fromParent),
          { needs },
          async ({ lab, node1, measure }) => {
            measure('why', fromParent === 'answered' ? why : whyParentIsUnheard);
            await expectFate(lab, node1, ns1, fromParent, family);
          },
        );
      }

      experiment(
        'X3.1',
        `${name}: a multicast of ns1 ${reaches(mode, hairpin) ? 'reaches' : 'does not reach'} its sibling`,
        {},
        async ({ lab, node2, switch: sw, observe }) => {
          const ping = await lab.ping(ns1, ns2, { group: '224.0.0.1' });
          const echo = echoRequest({ token: ping.token, destinationMac: 'multicast' });
          await expect(ping).to.have.seen(echo, sw.port('node1').in, node2.wire.in);
          if (hairpin) await expect(ping).to.have.seen(echo, sw.port('node1').out);
          else await expect(ping).not.to.have.seen(echo, sw.port('node1').out);
          if (mode === 'bridge' && hairpin) {
            // Inside the parent it has got its copy; whether it gets that which comes back as well is the kernel's choice.
            await expect(ping).to.have.seen(echo, ns2.wire);
            await ping.finish([ns1.wire, ns2.wire]);
            const copies = (view: View) => ping.seen(view).filter(({ frame }) => echo.matches(frame)).length;
            observe('copies of a reflected multicast at a bridge sibling', copies(ns2.wire));
            // Once on its way out, and once more where macvlan_multicast_rx hands it back to who sent it.
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
    'neighbour solicitations go to the solicited-node group, and take the place of ARP',
    { modes: ['bridge'], needs: ['ipv6'] },
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
    'source: a child is given only what its listed sources send',
    { modes: ['source'], needs: ['macvlan mode source'] },
    async ({ lab, node2, router }) => {
      await ns1.attach({ mode: 'source', sources: [router.mac], address: one });
      expect(await ns1.link()).to.have.macvlanMode('source');
      expect(await lab.ping(router, ns1)).to.be.answered();
      expect(await lab.ping(ns1, router)).to.be.answered();
      const ping = await lab.ping(ns1, node2);
      // The request leaves as in any mode; the answer comes from a MAC that is not listed.
      expect(ping).to.be.lost(lab.switch.port('node1').out, ns1.wire);
      await expect(ping).to.have.seen(arpReply({ isAt: node2.mac }), lab.node1.wire.in);
    },
  );

  experiment(
    'X4.2',
    'source, frames from a listed MAC to the parent: the child gets a copy, and the parent keeps its own',
    { modes: ['source'], needs: ['macvlan mode source'] },
    async ({ lab, node1, node2, router }) => {
      await ns1.attach({ mode: 'source', sources: [router.mac], address: one });
      // macvlan_forward_source looks for the source MAC alone, whomever a frame is for.
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
    'source with nodst, frames from a listed MAC to the parent: the child gets them, and the parent does not, broadcasts included',
    { modes: ['source'], needs: ['macvlan mode source', 'macvlan nodst'] },
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
    'private with hairpin, siblings: lost with empty neighbour caches, answered with static entries',
    { modes: ['private'] },
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
      `private with hairpin, child to parent${family === 6 ? ', IPv6' : ''}: lost with an empty neighbour cache, answered once the parent has pinged the child`,
      { modes: ['private'], needs: family === 6 ? ['ipv6'] : [] },
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
        // Siblings get no broadcast of each other, so that no ping fills their caches: not even now that the parent has pinged both.
        expect(await lab.ping(node1, ns2, { family })).to.be.answered();
        const sibling = await lab.ping(ns1, ns2, { family, keepNeighbours: true });
        expect(sibling).to.be.lost(port.out, ns2.wire);
      },
    );
  }
});

/** Whether a sibling gets a child's multicast: inside the parent in mode bridge, from the reflection in mode vepa. */
function reaches(mode: Row['mode'], hairpin: boolean): boolean {
  return mode === 'bridge' || (mode === 'vepa' && hairpin);
}
