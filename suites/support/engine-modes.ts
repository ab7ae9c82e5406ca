/** The modes of a container engine's macvlan networks, seen at the switch port (A0.12). */
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import type { MacvlanMode } from '../../harness/link/macvlan.js';
import { experiment, suite } from '../../harness/run/experiment.js';
import { echoReply, echoRequest } from '../../harness/wire/pattern.js';
import { article, expectChildOf } from './container-networks.js';

/** @param host returns the running engine of node1 */
export function modesOfNetworks(kind: EngineKind, host: () => ContainerHost): void {
  suite('modes', {}, () => {
    async function pair(mode: MacvlanMode): Promise<[Endpoint, Endpoint]> {
      const network = await host().network({ subnets: [article], mode });
      return Promise.all([network.run('c1', ['192.168.8.120']), network.run('c2', ['192.168.8.121'])]);
    }

    experiment(
      'A0.12',
      `${kind}, mode bridge, ping between siblings: answered inside the parent, without an echo on the uplink`,
      { key: `a0-${kind}-mode-bridge`, modes: ['bridge'] },
      async ({ lab, node1, switch: sw }) => {
        const [c1, c2] = await pair('bridge');
        expect(await c1.link()).to.have.macvlanMode('bridge');
        await expectChildOf(c1, node1);
        const ping = await lab.ping(c1, c2);
        expect(ping).to.be.answered();
        await expect(ping).not.to.have.seen(echoRequest({ token: ping.token }), sw.port('node1').in, node1.wire.out);
      },
    );

    experiment(
      'A0.12',
      `${kind}, mode private, ping between siblings: no reply with hairpin off or on`,
      { key: `a0-${kind}-mode-private`, modes: ['private'] },
      async ({ lab, node1, node2, switch: sw }) => {
        const [c1, c2] = await pair('private');
        expect(await c1.link()).to.have.macvlanMode('private');
        await expectChildOf(c1, node1);
        expect(await lab.ping(c1, node2)).to.be.answered();
        const port = sw.port('node1');
        expect(await lab.ping(c1, c2)).to.be.lost(port.in, port.out);
        await sw.hairpin('node1', true);
        const reflected = await lab.ping(c1, c2);
        expect(reflected).to.be.lost(port.out, c2.wire);
      },
    );

    experiment(
      'A0.12',
      `${kind}, mode vepa, ping between siblings: answered only with hairpin on, each frame crosses the parent twice`,
      { key: `a0-${kind}-mode-vepa`, modes: ['vepa'] },
      async ({ lab, node1, node2, switch: sw }) => {
        const [c1, c2] = await pair('vepa');
        expect(await c1.link()).to.have.macvlanMode('vepa');
        await expectChildOf(c1, node1);
        expect(await lab.ping(c1, node2)).to.be.answered();
        const port = sw.port('node1');
        expect(await lab.ping(c1, c2)).to.be.lost(port.in, port.out);
        await sw.hairpin('node1', true);
        const ping = await lab.ping(c1, c2);
        expect(ping).to.be.answered();
        for (const frame of [echoRequest({ token: ping.token }), echoReply({ token: ping.token })])
          for (const view of [node1.wire.out, port.in, port.out, node1.wire.in])
            await expect(ping).to.have.seenTimes(1, frame, view);
      },
    );

    experiment(
      'A0.12',
      `${kind}, mode passthru, one container: the uplink has the container’s MAC until removal, and a second container is refused`,
      { key: `a0-${kind}-mode-passthru`, modes: ['passthru'], needs: ['macvlan mode passthru'] },
      async ({ lab, node1, node2, switch: sw, observe }) => {
        await lab.scopes.within('the network', async () => {
          const network = await host().network({ subnets: [article], mode: 'passthru' });
          const c1 = await network.run('c1', ['192.168.8.120']);
          expect(await c1.link()).to.have.macvlanMode('passthru');
          await expectChildOf(c1, node1);
          // macvlan_set_mac_address: the parent gets the child's address.
          expect((await node1.link()).address).to.equal(c1.mac);
          observe(`${kind} gives the container a MAC that was not the uplink’s`, c1.mac !== node1.mac);
          const ping = await lab.ping(c1, node2);
          expect(ping).to.be.answered();
          await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: c1.mac }), sw.port('node1').in);
          const refusal = await expect(network.run('c2', ['192.168.8.121'])).to.be.refusedByEngine(/invalid argument/i);
          observe('second container', refusal.words.split('\n').at(-1) ?? '');
        });
        // macvlan_port_destroy restores the parent's own.
        expect((await node1.link()).address).to.equal(node1.mac);
      },
    );
  });
}
