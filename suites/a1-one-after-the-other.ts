/** Article 1: how strict private is, and whether one mode affects the next. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import type { View } from '../harness/wire/capture-point.js';
import { arpRequest } from '../harness/wire/pattern.js';
import { addresses, attachContainers } from './support/article-1.js';

suite('A1 one mode after the other', { addresses }, () => {
  let ns1: Endpoint;
  let ns2: Endpoint;

  setUp(async ({ node1 }) => {
    [ns1, ns2] = await Promise.all([node1.namespace('ns1'), node1.namespace('ns2')]);
  });

  experiment(
    'A1.6',
    'private, hairpin on, broadcast from a child: the reflected frame reaches no sibling',
    { key: 'a1-private-reflected-broadcast', modes: ['private', 'vepa'] },
    async ({ lab, node1, switch: sw, observe }) => {
      await sw.hairpin('node1', true);
      await attachContainers([ns1, ns2], 'private');
      const ping = await lab.ping(ns1, ns2);
      const request = arpRequest({ who: '10.211.55.112', tell: '10.211.55.111', to: 'broadcast' });
      observe('broadcast of a private child, reflected', ping.reason);
      // macvlan_handle_frame passes a reflected broadcast of a private child back to that child alone, and consumes it.
      expect(ping).to.be.lost(sw.port('node1').out, ns2.wire);
      await expect(ping).to.have.seen(request, sw.port('node1').out, node1.wire.in);
      await expect(ping).not.to.have.seen(request, ns2.wire);
      // Each request passes ns1 twice: on its way out, and when it is passed back; the kernel may send more than one.
      await ping.finish([ns1.wire, sw.port('node1').out]);
      const times = (view: View) => ping.seen(view).filter(({ frame }) => request.matches(frame)).length;
      expect(times(ns1.wire)).to.equal(2 * times(sw.port('node1').out));
    },
  );

  experiment(
    'A1.7',
    'children of each mode created and deleted in turn: nothing remains that affects the next mode',
    { key: 'a1-modes-in-turn', modes: ['bridge', 'private', 'vepa'] },
    async ({ lab, node1 }) => {
      const before = await cleanLinks(node1);
      for (const mode of ['bridge', 'private', 'vepa', 'bridge'] as const) {
        await lab.scopes.within(`children of mode ${mode}`, async () => {
          await attachContainers([ns1, ns2], mode, false);
          expect(await ns1.link()).to.have.macvlanMode(mode);
          expect((await lab.ping(ns1, ns2)).outcome).to.equal(mode === 'bridge' ? 'answered' : 'lost');
        });
        expect(await cleanLinks(node1), `flags and promiscuity of node1’s links behind mode ${mode}`).to.deep.equal(
          before,
        );
      }
      for (const namespace of [ns1, ns2]) {
        const { stdout } = await namespace.stack.run(['ip', '-br', 'link', 'show'], 'reading');
        expect(stdout.trim().split('\n')).to.have.lengthOf(1).and.to.match(/^lo/);
      }
    },
  );
});

/** Names, flags and promiscuity of a node's links, on which a child could have left changes. */
async function cleanLinks(node: {
  links(): Promise<{ ifname: string; flags: string[]; promiscuity?: number | undefined }[]>;
}) {
  return (await node.links()).map(({ ifname, flags, promiscuity }) => ({ ifname, flags, promiscuity }));
}
