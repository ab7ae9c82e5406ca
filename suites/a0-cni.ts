/** The introduction's macvlan networks with the CNI plugin, called by its protocol; and the effect of the protocol's CHECK and DEL. */
import { expect } from '../harness/expect/expect.js';
import type { ContainerHost, ContainerNetwork } from '../harness/lab/container/container-host.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { deleteAddress } from '../harness/link/address.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { article, linkNames } from './support/container-networks.js';
import { containerNetworks } from './support/engine-networks.js';
import { sharedUplink } from './support/engine-shared-uplink.js';

containerNetworks('cni');
sharedUplink('cni');

suite('A0 the CNI protocol', { needs: ['cni'], modes: ['bridge'] }, () => {
  let cni: ContainerHost;
  let network: ContainerNetwork;

  setUp(async ({ lab, node1 }) => {
    cni = await lab.containerHost(node1, 'cni');
    network = await cni.network({ subnets: [{ ...article, range: '192.168.8.120/31' }] });
  });

  experiment(
    'X9.8',
    'cni, CHECK after ADD: succeeds, and reports a deleted address',
    { key: 'x9-cni-check' },
    async () => {
      const c1: Endpoint = await network.run('c1');
      await network.check(c1);
      const [address = ''] = c1.addresses;
      await c1.apply(deleteAddress(c1.stack, c1.device, address));
      await expect(network.check(c1)).to.be.refusedByEngine(/^Failed to match addr 192\.168\.8\.12/);
    },
  );

  experiment(
    'X9.8',
    'cni, DEL: removes the interface and releases the address',
    { key: 'x9-cni-del' },
    async ({ lab, node1 }) => {
      const taken: string[] = [];
      // There are two addresses: if DEL did not free them, a third container would get none.
      for (const round of [1, 2, 3]) {
        await lab.scopes.within(`round ${round}`, async () => {
          const c1 = await network.run('c1');
          taken.push(...c1.addresses);
          expect(await c1.link()).to.have.macvlanMode('bridge');
        });
        expect(node1.endpoints).to.deep.equal([]);
      }
      expect(taken).to.have.lengthOf(3);
      expect(new Set(taken).size).to.be.at.most(2);
    },
  );

  experiment(
    'X9.5',
    'cni, ADD with a missing parent: refused, and no link is created',
    { key: 'x9-cni-missing-parent' },
    async ({ node1, observe }) => {
      const misspelt = await cni.network({ name: 'misspelt', parent: 'uplink', subnets: [article] });
      const refusal = await expect(misspelt.run('c1')).to.be.refusedByEngine(/[Ll]ink not found/);
      observe('parent that is not there', refusal.words);
      expect(await linkNames(node1)).to.deep.equal(['lo', node1.device]);
    },
  );
});
