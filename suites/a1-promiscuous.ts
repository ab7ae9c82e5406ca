/** Article 1 sets parent and children promiscuous. Whether that matters: the same table, with all four combinations. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { setPromiscuous } from '../harness/link/device.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { addresses } from './support/article-1.js';
import { expectMode } from './support/modes.js';

const table = [
  { mode: 'bridge', sibling: 'answered' },
  { mode: 'private', sibling: 'lost' },
  { mode: 'vepa', sibling: 'lost' },
] as const;

const combinations = [
  { who: 'neither', parent: false, children: false },
  { who: 'the parent', parent: true, children: false },
  { who: 'the children', parent: false, children: true },
  { who: 'both', parent: true, children: true },
];

suite('A1 promiscuous or not', { addresses }, () => {
  for (const { mode, sibling } of table) {
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

      for (const { who, parent, children } of combinations) {
        experiment(
          'A1.5',
          `${mode}: the outcome is the same with ${who} promiscuous`,
          {},
          async ({ lab, node1, node2, router }) => {
            await node1.promiscuous(parent);
            for (const child of [ns1, ns2]) await child.apply(setPromiscuous(child.stack, child.device, children));
            // The administrative flags, not the counters: tcpdump and macvlan count promiscuity of their own.
            for (const [link, on] of [
              [await node1.link(), parent],
              [await ns1.link(), children],
            ] as const) {
              if (on) expect(link).to.have.linkFlag('PROMISC');
              else expect(link).not.to.have.linkFlag('PROMISC');
            }

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
