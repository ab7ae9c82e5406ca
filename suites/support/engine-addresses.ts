/** How container engines assign addresses: from a range, and of both versions (A0.12). */
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import { experiment, suite } from '../../harness/run/experiment.js';
import { neighbourSolicitation } from '../../harness/wire/pattern.js';
import { article, ipv4Of, version6 } from './container-networks.js';

/** @param host returns the running engine of node1 */
export function addressesOfContainers(kind: EngineKind, host: () => ContainerHost): void {
  suite('addresses', { modes: ['bridge'] }, () => {
    experiment(
      'A0.12',
      `${kind}, network with an address range: addresses come only from the range`,
      { key: `a0-${kind}-ip-range` },
      async ({ lab, node2 }) => {
        const network = await host().network({ subnets: [{ ...article, range: '192.168.8.192/27' }] });
        const [c1, c2] = [await network.run('c1'), await network.run('c2')];
        for (const container of [c1, c2]) {
          const last = Number(ipv4Of(container).split('.').at(-1));
          expect(last, `last byte of ${ipv4Of(container)}`).to.be.within(192, 223);
          expect(container.addresses[0]).to.match(/\/24$/);
        }
        expect(ipv4Of(c1)).not.to.equal(ipv4Of(c2));
        expect(await lab.ping(c1, c2)).to.be.answered();
        expect(await lab.ping(c2, node2)).to.be.answered();
      },
    );

    experiment(
      'X9.1',
      `${kind}, network with IPv4 and IPv6: pings of both are answered, IPv6 sends a neighbour solicitation`,
      { key: `x9-${kind}-dual-stack`, needs: ['ipv6'] },
      async ({ lab, node2, router, switch: sw }) => {
        await Promise.all([
          node2.configure({ addresses: ['2001:db8:8::111/64'] }),
          router.configure({ addresses: ['2001:db8:8::1/64'] }),
        ]);
        const network = await host().network({ subnets: [article, version6] });
        const c1 = await network.run('c1', ['192.168.8.120', '2001:db8:8::120']);
        const c2 = await network.run('c2', ['192.168.8.121', '2001:db8:8::121']);
        expect(c1.addresses).to.have.members(['192.168.8.120/24', '2001:db8:8::120/64']);
        for (const family of [4, 6] as const) {
          expect(await lab.ping(c1, c2, { family })).to.be.answered();
          expect(await lab.ping(node2, c1, { family })).to.be.answered();
        }
        const ping = await lab.ping(c1, node2, { family: 6 });
        expect(ping).to.be.answered();
        const question = neighbourSolicitation({ target: '2001:db8:8::111', from: '2001:db8:8::120' });
        await expect(ping).to.have.seen(question, sw.port('node1').in);
      },
    );
  });
}
