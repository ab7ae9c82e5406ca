/** Article 2's docker network on a VLAN: docker creates the sub-interface itself, and its containers communicate over the trunk. */
import { expect } from '../harness/expect/expect.js';
import type { ContainerHost } from '../harness/lab/container/container-host.js';
import type { Node } from '../harness/lab/node.js';
import { taggingOf } from '../harness/link/vlan.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { expectChildOf, linkNames } from './support/container-networks.js';
import { addresses, expectTags, layTrunks, needs } from './support/vlans.js';

const article = { subnet: '172.31.0.0/16', gateway: '172.31.0.1' };

/** The name that docker, like the article, gives the sub-interface of a node's uplink for a VLAN. */
const inVlan = ({ device }: Node, vlan: number) => `${device}.${vlan}`;

suite('A2 docker networks in a VLAN', { addresses, needs: [...needs, 'docker'], modes: ['bridge'] }, () => {
  let docker1: ContainerHost;
  let docker2: ContainerHost;

  setUp(async ({ lab, node1, node2, router, switch: sw }) => {
    [docker1, docker2] = await Promise.all([lab.containerHost(node1, 'docker'), lab.containerHost(node2, 'docker')]);
    await layTrunks(sw);
    await router.configure({ device: await router.vlan(10), addresses: ['172.31.0.1/16'] });
  });

  experiment(
    'A2.7',
    'docker, networks on missing VLAN sub-interfaces: docker creates the sub-interfaces, and ping between nodes is tagged on the trunk',
    { key: 'a2-docker-vlan-trunk' },
    async ({ lab, node1, node2, router, switch: sw }) => {
      const before = await linkNames(node1);
      expect(before).not.to.include(inVlan(node1, 10));
      const [network1, network2] = await Promise.all([
        docker1.network({ parent: inVlan(node1, 10), subnets: [article] }),
        docker2.network({ parent: inVlan(node2, 10), subnets: [article] }),
      ]);
      const [c1, c2] = await Promise.all([network1.run('c1', ['172.31.0.11']), network2.run('c2', ['172.31.0.12'])]);
      for (const [container, node] of [
        [c1, node1],
        [c2, node2],
      ] as const) {
        const vlan = await node.link(inVlan(node, 10));
        expect(taggingOf(vlan)).to.deep.equal({ id: 10, protocol: '802.1Q' });
        expect(vlan.link, 'what the sub-interface sits on').to.equal(node.device);
        await expectChildOf(container, node, inVlan(node, 10));
        expect(await container.link()).to.have.macvlanMode('bridge');
      }
      const ping = await lab.ping(c1, c2);
      expect(ping).to.be.answered();
      await expectTags(ping, [10], node1.wire.out, sw.port('node1').in, sw.port('node2').out, node2.wire.in);
      await expectTags(ping, [], c1.wire, c2.wire);
      const toGateway = await lab.ping(c1, router);
      expect(toGateway).to.be.answered();
      await expectTags(toGateway, [10], sw.port('node1').in, sw.port('router').out);
    },
  );

  for (const { key, title, makeBefore } of [
    {
      key: 'a2-docker-vlan-created',
      title: 'docker, removal of a network on a sub-interface created by docker: the sub-interface is removed',
      makeBefore: false,
    },
    {
      key: 'a2-docker-vlan-existing',
      title: 'docker, removal of a network on an existing sub-interface: the sub-interface remains',
      makeBefore: true,
    },
  ]) {
    experiment('A2.7', title, { key }, async ({ lab, node1 }) => {
      const vlan = makeBefore ? await node1.vlan(10) : inVlan(node1, 10);
      const before = await linkNames(node1);
      await lab.scopes.within('a network', async () => {
        const network = await docker1.network({ parent: vlan, subnets: [article] });
        await expectChildOf(await network.run('c1', ['172.31.0.11']), node1, vlan);
        expect(await linkNames(node1)).to.include(vlan);
      });
      expect(await linkNames(node1)).to.deep.equal(before);
    });
  }

  experiment(
    'X9.7',
    'docker, network without a parent: containers are children of an isolated dummy device',
    { key: 'x9-docker-no-parent', needs: ['dummy'] },
    async ({ node1 }) => {
      const before = await linkNames(node1);
      const network = await docker1.network({ parent: null, subnets: [article] });
      const c1 = await network.run('c1', ['172.31.0.11']);
      const below = await node1.link(c1.parent ?? 'none');
      expect(below.linkinfo?.info_kind).to.equal('dummy');
      expect(below.ifname).to.match(/^dm-[0-9a-f]{12}$/);
      expect(before).not.to.include(below.ifname);
    },
  );
});
