/** The introduction's macvlan networks by podman, whose network program is netavark; and what podman alone says. */
import { expect } from '../harness/expect/expect.js';
import { experiment, suite } from '../harness/run/experiment.js';
import { article, linkNames } from './support/container-networks.js';
import { containerNetworks } from './support/engine-networks.js';
import { sharedUplink } from './support/engine-shared-uplink.js';

containerNetworks('podman');
sharedUplink('podman');

suite('A0 what podman refuses', { needs: ['podman'], modes: ['bridge'] }, () => {
  experiment('X9.5', 'podman: a parent that is not there is refused', {}, async ({ lab, node1, observe }) => {
    const podman = await lab.containerHost(node1, 'podman');
    const before = await linkNames(node1);
    const misspelt = podman.network({ parent: 'uplink', subnets: [article] });
    const refusal = await expect(misspelt).to.be.refusedByEngine(/does not exist/);
    observe('parent that is not there', refusal.words);
    expect(await linkNames(node1)).to.deep.equal(before);
  });

  experiment('X9.6', 'podman: a name in use is refused, and what has it stays', {}, async ({ lab, node1 }) => {
    const podman = await lab.containerHost(node1, 'podman');
    const network = await podman.network({ subnets: [article] });
    await expect(podman.network({ subnets: [{ subnet: '192.168.9.0/24' }] })).to.be.refusedByEngine(
      /already (exists|used)/,
    );
    const c1 = await network.run('c1', ['192.168.8.120']);
    await expect(network.run('c1', ['192.168.8.121'])).to.be.refusedByEngine(/already in use/);
    await expect(network.remove()).to.be.refusedByEngine(/being used/);
    expect(c1.addresses).to.deep.equal(['192.168.8.120/24']);
  });
});
