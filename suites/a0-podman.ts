/** The introduction's macvlan networks with podman, whose network program is netavark; and podman's own error messages. */
import { expect } from '../harness/expect/expect.js';
import { experiment, suite } from '../harness/run/experiment.js';
import { article, linkNames } from './support/container-networks.js';
import { containerNetworks } from './support/engine-networks.js';
import { sharedUplink } from './support/engine-shared-uplink.js';

containerNetworks('podman');
sharedUplink('podman');

suite('A0 what podman refuses', { needs: ['podman'], modes: ['bridge'] }, () => {
  experiment(
    'X9.5',
    'podman, network with a missing parent: refused, and no link is created',
    { key: 'x9-podman-missing-parent' },
    async ({ lab, node1, observe }) => {
      const podman = await lab.containerHost(node1, 'podman');
      const before = await linkNames(node1);
      const misspelt = podman.network({ parent: 'uplink', subnets: [article] });
      const refusal = await expect(misspelt).to.be.refusedByEngine(/does not exist/);
      observe('parent that is not there', refusal.words);
      expect(await linkNames(node1)).to.deep.equal(before);
    },
  );

  experiment(
    'X9.6',
    'podman, network or container name in use: the duplicate is refused, and the first container is unchanged',
    { key: 'x9-podman-name-in-use' },
    async ({ lab, node1 }) => {
      const podman = await lab.containerHost(node1, 'podman');
      const network = await podman.network({ subnets: [article] });
      await expect(podman.network({ subnets: [{ subnet: '192.168.9.0/24' }] })).to.be.refusedByEngine(
        /already (exists|used)/,
      );
      const c1 = await network.run('c1', ['192.168.8.120']);
      await expect(network.run('c1', ['192.168.8.121'])).to.be.refusedByEngine(/already in use/);
      await expect(network.remove()).to.be.refusedByEngine(/being used/);
      expect(c1.addresses).to.deep.equal(['192.168.8.120/24']);
    },
  );
});
