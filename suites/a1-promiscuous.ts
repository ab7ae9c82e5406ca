/**
 * Article 1 sets parent and children promiscuous. This suite runs the same table with all four combinations, to see
 * whether that matters. The parent's promiscuity counter distinguishes them: the PROMISC flag shows only what the user
 * set.
 */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import type { Feature } from '../harness/lab/feature/features.js';
import { setPromiscuous } from '../harness/link/device.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { addresses } from './support/article-1.js';
import { expectMode } from './support/modes.js';

const table = [
  { mode: 'bridge', sibling: 'answered', row: 'A1.1' },
  { mode: 'private', sibling: 'lost', row: 'A1.2' },
  { mode: 'vepa', sibling: 'lost', row: 'A1.3' },
] as const;

/** A promiscuous child makes its parent promiscuous as well (macvlan.c, macvlan_change_rx_flags). */
const combinations: { set: string; who: string; parent: boolean; children: boolean; needs?: Feature[] }[] = [
  {
    set: 'none',
    who: 'neither parent nor children promiscuous',
    parent: false,
    children: false,
    needs: ['unicast filter'],
  },
  { set: 'parent', who: 'parent promiscuous', parent: true, children: false },
  { set: 'children', who: 'children promiscuous, which makes the parent promiscuous', parent: false, children: true },
  { set: 'both', who: 'parent and children promiscuous', parent: true, children: true },
];

suite('A1 promiscuous or not', { addresses }, () => {
  for (const { mode, sibling, row } of table) {
    suite(mode, { modes: [mode] }, () => {
      let ns1: Endpoint;
      let ns2: Endpoint;

      setUp(async ({ node1 }) => {
        [ns1, ns2] = await Promise.all([
          node1.endpoint('ns1', { mode, address: '10.211.55.101/24' }),
          node1.endpoint('ns2', { mode, address: '10.211.55.102/24' }),
        ]);
        expectMode([ns1, ns2], mode);
      });

      for (const { set, who, parent, children, needs = [] } of combinations) {
        experiment(
          'A1.5',
          `${mode}, ${who}: same reachability as ${row}`,
          { key: `a1-promiscuous-${mode}-${set}`, needs },
          async ({ lab, node1, node2, router, measure }) => {
            const counter = async () => (await node1.link()).promiscuity;
            // On a parent without a unicast filter, each child that is up has already made the kernel accept all
            // frames.
            const before = await counter();
            measure('promiscuity of the parent, from its children’s addresses', before ?? 'not shown');
            if (!parent && !children) expect(before, 'promiscuity of the parent').to.equal(0);
            await node1.promiscuous(parent);
            for (const child of [ns1, ns2]) await child.apply(setPromiscuous(child.stack, child.device, children));
            const added = (parent ? 1 : 0) + (children ? 2 : 0);
            expect(await counter(), 'promiscuity of the parent').to.equal((before ?? 0) + added);

            expect((await lab.ping(ns1, ns2)).outcome).to.equal(sibling);
            expect(await lab.ping(ns1, router)).to.be.answered();
            expect(await lab.ping(ns1, node2)).to.be.answered();
            expect(await lab.ping(ns1, node1)).to.be.lost(lab.switch.port('node1').in, lab.switch.port('node1').out);
          },
        );
      }
    });
  }
});
