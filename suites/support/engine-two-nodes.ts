/** One network of a container engine on each of two nodes: which stations reach each other, as in article 0 for docker (A0.11, A0.13). */
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import { experiment, setUp, suite } from '../../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../../harness/wire/pattern.js';
import { article, expectChildOf, ipv4Of } from './container-networks.js';

/** @param hosts returns the running engines of node1 and node2 */
export function networkOnTwoNodes(kind: EngineKind, hosts: () => readonly [ContainerHost, ContainerHost]): void {
  suite('one network on two nodes', { modes: ['bridge'] }, () => {
    let c1: Endpoint;
    let c2: Endpoint;
    let c3: Endpoint;

    setUp(async () => {
      const plan = { subnets: [article] };
      const [host1, host2] = hosts();
      const [network1, network2] = await Promise.all([host1.network(plan), host2.network(plan)]);
      [c1, c2, c3] = await Promise.all([
        network1.run('c1', ['192.168.8.120']),
        network1.run('c2', ['192.168.8.121']),
        network2.run('c3', ['192.168.8.122']),
      ]);
    });

    experiment(
      'A0.11',
      `${kind}, one network on two nodes: each container has a macvlan child of the uplink, with a unique MAC`,
      { key: `a0-${kind}-children` },
      async ({ node1, node2, observe }) => {
        observe(`default mode of ${kind}`, c1.mode ?? 'none');
        for (const [container, node] of [
          [c1, node1],
          [c2, node1],
          [c3, node2],
        ] as const) {
          await expectChildOf(container, node);
          expect(await container.link()).to.have.macvlanMode('bridge');
        }
        expect(new Set([node1, node2, c1, c2, c3].map(({ mac }) => mac)).size, 'distinct MACs').to.equal(5);
        expect([c1, c2, c3].map(ipv4Of)).to.deep.equal(['192.168.8.120', '192.168.8.121', '192.168.8.122']);
      },
    );

    experiment(
      'A0.11',
      `${kind}, ping between two containers of one network: answered inside the parent`,
      { key: `a0-${kind}-siblings` },
      async ({ lab, node1, switch: sw }) => {
        for (const [from, to] of [
          [c1, c2],
          [c2, c1],
        ] as const) {
          const ping = await lab.ping(from, to);
          expect(ping).to.be.answered();
          const own = echoRequest({ token: ping.token });
          await expect(ping).not.to.have.seen(own, sw.port('node1').in, node1.wire.out);
        }
      },
    );

    experiment(
      'A0.11',
      `${kind}, ping between containers on two nodes: answered across the switch, with the MACs of the containers`,
      { key: `a0-${kind}-across-nodes` },
      async ({ lab, switch: sw }) => {
        const ping = await lab.ping(c1, c3);
        expect(ping).to.be.answered();
        const { token } = ping;
        const [near, far] = [sw.port('node1'), sw.port('node2')];
        await expect(ping).to.have.seen(echoRequest({ token, sourceMac: c1.mac }), near.in, far.out, c3.wire);
        await expect(ping).to.have.seen(echoReply({ token, sourceMac: c3.mac }), far.in, near.out, c1.wire);
        await expect(ping).to.have.seen(arpReply({ from: '192.168.8.122', isAt: c3.mac }), far.in);
      },
    );

    experiment(
      'A0.12',
      `${kind}, ping from a client behind the gateway: answered by the container’s default route`,
      { key: `a0-${kind}-gateway` },
      async ({ lab, client, router, switch: sw }) => {
        const ping = await lab.ping(client, c1);
        expect(ping).to.be.answered();
        const reply = echoReply({ token: ping.token, from: '192.168.8.120', to: '10.8.0.241', sourceMac: c1.mac });
        await expect(ping).to.have.seen(reply, c1.wire, sw.port('node1').in, router.wire);
      },
    );

    experiment(
      'A0.13',
      `${kind}, ping from a container to both hosts: the other host replies, and the host of the container does not`,
      { key: `a0-${kind}-own-host` },
      async ({ lab, node1, node2, switch: sw }) => {
        expect(await lab.ping(c1, node2)).to.be.answered();
        const ping = await lab.ping(c1, node1);
        const port = sw.port('node1');
        expect(ping).to.be.lost(port.in, port.out);
        const question = arpRequest({ who: '192.168.8.110', tell: '192.168.8.120' });
        await expect(ping).not.to.have.seen(question, node1.wire.in);
      },
    );
  });
}
