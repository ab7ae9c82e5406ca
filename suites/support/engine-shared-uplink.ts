/** What podman and CNI allow on an uplink that already has a network: they check it only when a container is started. */
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import { experiment, setUp, suite } from '../../harness/run/experiment.js';
import { addresses, article, expectChildOf, second } from './container-networks.js';

/** Declares the experiments. */
export function sharedUplink(kind: EngineKind): void {
  suite(`A0 what ${kind} allows`, { addresses, needs: [kind], modes: ['bridge'] }, () => {
    let host: ContainerHost;

    setUp(async ({ lab, node1 }) => {
      host = await lab.containerHost(node1, kind);
    });

    experiment(
      'X9.3',
      `${kind}, two networks on one uplink: containers of both networks reach another host`,
      { key: `x9-${kind}-shared-uplink` },
      async ({ lab, node1, node2 }) => {
        const first = await host.network({ name: 'first', subnets: [article] });
        const another = await host.network({ name: 'second', subnets: [second] });
        const [c1, c2] = [await first.run('c1', ['192.168.8.120']), await another.run('c2', ['192.168.9.120'])];
        await Promise.all([c1, c2].map((container) => expectChildOf(container, node1)));
        expect(await lab.ping(c1, node2)).to.be.answered();
        expect(await lab.ping(c2, node2)).to.be.answered();
      },
    );

    experiment(
      'X9.4',
      `${kind}, passthru container on an uplink in use: refused at start, and the first container keeps working`,
      { key: `x9-${kind}-passthru-on-used-uplink`, modes: ['passthru'] },
      async ({ lab, node2, observe }) => {
        const first = await host.network({ name: 'first', subnets: [article] });
        const c1 = await first.run('c1', ['192.168.8.120']);
        const passthru = await host.network({ name: 'second', subnets: [second], mode: 'passthru' });
        const refusal = await expect(passthru.run('c2', ['192.168.9.120'])).to.be.refusedByEngine(/invalid argument/i);
        observe('passthru beside a container', refusal.words);
        expect(await lab.ping(c1, node2)).to.be.answered();
      },
    );
  });
}
