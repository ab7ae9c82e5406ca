/** Article 2's network on a VLAN, for engines that use an existing sub-interface (A2.7). */
import { expect } from '../../harness/expect/expect.js';
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import { experiment, setUp, suite } from '../../harness/run/experiment.js';
import { expectChildOf, linkNames } from './container-networks.js';
import { addresses, expectTags, layTrunks, needs } from './vlans.js';

const plan = { subnets: [{ subnet: '172.31.0.0/16', gateway: '172.31.0.1' }] };

/** Declares the experiments. */
export function containerNetworksInVlan(kind: EngineKind): void {
  suite(`A2 ${kind} networks in a VLAN`, { addresses, needs: [...needs, kind], modes: ['bridge'] }, () => {
    let hosts: readonly [ContainerHost, ContainerHost];

    setUp(async ({ lab, node1, node2, switch: sw }) => {
      hosts = await Promise.all([lab.containerHost(node1, kind), lab.containerHost(node2, kind)]);
      await layTrunks(sw);
    });

    experiment(
      'A2.7',
      `${kind}, networks on VLAN sub-interfaces: ping between nodes is tagged on the trunk, and the sub-interface outlives the network`,
      { key: `a2-${kind}-vlan-trunk` },
      async ({ lab, node1, node2, switch: sw }) => {
        const [vlan1, vlan2] = await Promise.all([node1.vlan(10), node2.vlan(10)]);
        await lab.scopes.within('the networks', async () => {
          const [network1, network2] = await Promise.all([
            hosts[0].network({ parent: vlan1, ...plan }),
            hosts[1].network({ parent: vlan2, ...plan }),
          ]);
          const [c1, c2] = await Promise.all([
            network1.run('c1', ['172.31.0.11']),
            network2.run('c2', ['172.31.0.12']),
          ]);
          await Promise.all([expectChildOf(c1, node1, vlan1), expectChildOf(c2, node2, vlan2)]);
          const ping = await lab.ping(c1, c2);
          expect(ping).to.be.answered();
          await expectTags(ping, [10], node1.wire.out, sw.port('node1').in, sw.port('node2').out, node2.wire.in);
          await expectTags(ping, [], c1.wire, c2.wire);
        });
        expect(await linkNames(node1)).to.include(vlan1);
      },
    );

    experiment(
      'A2.7',
      `${kind}, network on a missing VLAN sub-interface: refused, and no sub-interface is created`,
      { key: `a2-${kind}-vlan-missing` },
      async ({ node1 }) => {
        const before = await linkNames(node1);
        const started = hosts[0]
          .network({ parent: `${node1.device}.10`, ...plan })
          .then((network) => network.run('c1', ['172.31.0.11']));
        await expect(started).to.be.refusedByEngine(/does not exist|not found/);
        expect(await linkNames(node1)).to.deep.equal(before);
      },
    );
  });
}
