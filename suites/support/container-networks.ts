/** What the introduction does with docker, for each container engine: macvlan networks and their options, seen on the wire. */
import { isIPv4 } from 'node:net';
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost, ContainerNetwork } from '../../harness/lab/container-host.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import type { AddressPlan } from '../../harness/lab/lab.js';
import type { Node } from '../../harness/lab/node.js';
import { withoutPrefix } from '../../harness/lab/station.js';
import type { MacvlanMode } from '../../harness/link/macvlan.js';
import { experiment, setUp, suite } from '../../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest, neighbourSolicitation } from '../../harness/wire/pattern.js';

/** The introduction's network, with a second subnet, IPv6, and a client behind the gateway. */
const addresses: AddressPlan = {
  node1: { addresses: ['192.168.8.110/24', '192.168.9.110/24', '2001:db8:8::110/64'] },
  node2: { addresses: ['192.168.8.111/24', '192.168.9.111/24', '2001:db8:8::111/64'] },
  router: { addresses: ['192.168.8.1/24', '192.168.9.1/24', '2001:db8:8::1/64'], behind: ['10.8.0.1/16'] },
  client: { addresses: ['10.8.0.241/16'], routes: [{ to: 'default', via: '10.8.0.1' }] },
};

const article = { subnet: '192.168.8.0/24', gateway: '192.168.8.1' };
const second = { subnet: '192.168.9.0/24', gateway: '192.168.9.1' };
const version6 = { subnet: '2001:db8:8::/64', gateway: '2001:db8:8::1' };

/** States that a container's interface is a macvlan on a device of its node: no dummy, and nothing else that is none. */
export async function expectChildOf(container: Endpoint, node: Node, parent = node.device): Promise<void> {
  const [child, below] = [await container.link(), await node.link(parent)];
  expect(child.linkinfo?.info_kind, 'kind of the container’s interface').to.equal('macvlan');
  expect(child.link_index, `index of the link below, against that of ${parent}`).to.equal(below.ifindex);
  expect(container.parent).to.equal(parent);
}

function ipv4Of({ addresses: own }: Endpoint): string {
  return own.map(withoutPrefix).find(isIPv4) ?? 'none';
}

/** Declares the experiments on untagged networks of an engine. */
export function containerNetworks(kind: EngineKind): void {
  suite(`A0 ${kind} networks`, { addresses, needs: [kind] }, () => {
    let host1: ContainerHost;
    let host2: ContainerHost;

    setUp(async ({ lab, node1, node2 }) => {
      [host1, host2] = await Promise.all([lab.containerHost(node1, kind), lab.containerHost(node2, kind)]);
    });

    suite('one network on two nodes', { modes: ['bridge'] }, () => {
      let c1: Endpoint;
      let c2: Endpoint;
      let c3: Endpoint;

      setUp(async () => {
        const plan = { subnets: [article] };
        const [network1, network2] = await Promise.all([host1.network(plan), host2.network(plan)]);
        [c1, c2, c3] = await Promise.all([
          network1.run('c1', ['192.168.8.120']),
          network1.run('c2', ['192.168.8.121']),
          network2.run('c3', ['192.168.8.122']),
        ]);
      });

      experiment(
        'A0.11',
        `${kind}: each container gets a macvlan child of the node’s uplink, with a MAC of its own`,
        {},
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
        `${kind}: two containers on one network reach each other, inside the parent`,
        {},
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
        `${kind}: containers on two nodes reach each other across the switch, under their own MACs`,
        {},
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
        `${kind}: --gateway is the container’s default route; a client behind it gets its reply`,
        {},
        async ({ lab, client, router, switch: sw }) => {
          const ping = await lab.ping(client, c1);
          expect(ping).to.be.answered();
          const reply = echoReply({ token: ping.token, from: '192.168.8.120', to: '10.8.0.241', sourceMac: c1.mac });
          await expect(ping).to.have.seen(reply, c1.wire, sw.port('node1').in, router.wire);
        },
      );

      experiment(
        'A0.13',
        `${kind}: a container does not reach its own host, and does reach the other`,
        {},
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

    suite('modes', {}, () => {
      async function pair(mode: MacvlanMode): Promise<[Endpoint, Endpoint]> {
        const network = await host1.network({ subnets: [article], mode });
        return Promise.all([network.run('c1', ['192.168.8.120']), network.run('c2', ['192.168.8.121'])]);
      }

      experiment(
        'A0.12',
        `${kind}: macvlan_mode=bridge, siblings talk inside the parent, and nothing of it is visible outside`,
        { modes: ['bridge'] },
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
        `${kind}: macvlan_mode=private, siblings are lost to each other, with a hairpin switch as well`,
        { modes: ['private'] },
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
        `${kind}: macvlan_mode=vepa, siblings reach each other only by way of a hairpin switch, over the parent twice`,
        { modes: ['vepa'] },
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
        `${kind}: macvlan_mode=passthru, one container has the uplink for itself, and the uplink its MAC`,
        { modes: ['passthru'], needs: ['macvlan mode passthru'] },
        async ({ lab, node1, node2, switch: sw, observe }) => {
          const network = await host1.network({ subnets: [article], mode: 'passthru' });
          const c1 = await network.run('c1', ['192.168.8.120']);
          expect(await c1.link()).to.have.macvlanMode('passthru');
          await expectChildOf(c1, node1);
          // macvlan_set_mac_address: what the child is given, its parent gets.
          expect((await node1.link()).address).to.equal(c1.mac);
          observe(`${kind} gives the container a MAC that was not the uplink’s`, c1.mac !== node1.mac);
          const ping = await lab.ping(c1, node2);
          expect(ping).to.be.answered();
          await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: c1.mac }), sw.port('node1').in);
          const refusal = await expect(network.run('c2', ['192.168.8.121'])).to.be.refusedByEngine(/./);
          observe('second container', refusal.words.split('\n').at(-1) ?? '');
        },
      );
    });

    suite('addresses', { modes: ['bridge'] }, () => {
      experiment('A0.12', `${kind}: --ip-range, addresses are taken from it alone`, {}, async ({ lab, node2 }) => {
        const network = await host1.network({ subnets: [{ ...article, range: '192.168.8.192/27' }] });
        const [c1, c2] = [await network.run('c1'), await network.run('c2')];
        for (const container of [c1, c2]) {
          const last = Number(ipv4Of(container).split('.').at(-1));
          expect(last, `last byte of ${ipv4Of(container)}`).to.be.within(192, 223);
          expect(container.addresses[0]).to.match(/\/24$/);
        }
        expect(ipv4Of(c1)).not.to.equal(ipv4Of(c2));
        expect(await lab.ping(c1, c2)).to.be.answered();
        expect(await lab.ping(c2, node2)).to.be.answered();
      });

      experiment(
        'X9.1',
        `${kind}: a network of both versions; a neighbour is asked for by solicitation, and answers`,
        { needs: ['ipv6'] },
        async ({ lab, node2, switch: sw }) => {
          const network = await host1.network({ subnets: [article, version6] });
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
  });
}

/** States what becomes of a second network on the uplink that an engine has a network on already. */
export async function secondNetwork(host: ContainerHost, mode?: MacvlanMode): Promise<ContainerNetwork> {
  return host.network({ name: 'second', subnets: [second], ...(mode && { mode }) });
}
