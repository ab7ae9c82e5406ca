/** The introduction's macvlan networks, with a docker daemon on each node; and features that only docker has. */
import { expect } from '../harness/expect/expect.js';
import type { ContainerHost } from '../harness/lab/container/container-host.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { addresses, article, expectChildOf, linkNames, second } from './support/container-networks.js';
import { containerNetworks } from './support/engine-networks.js';

containerNetworks('docker');

suite('A0 what docker’s driver allows', { addresses, needs: ['docker'], modes: ['bridge'] }, () => {
  let docker: ContainerHost;

  setUp(async ({ lab, node1 }) => {
    docker = await lab.containerHost(node1, 'docker');
  });

  experiment(
    'A0.12',
    'docker, network with --aux-address: reserved addresses are never assigned',
    { key: 'a0-docker-aux-address' },
    async ({ lab, node2 }) => {
      // Four addresses, two of which are reserved for other hosts.
      const reserved = { printer: '192.168.8.121', camera: '192.168.8.122' };
      const network = await docker.network({ subnets: [{ ...article, range: '192.168.8.120/30', reserved }] });
      const [c1, c2] = [await network.run('c1'), await network.run('c2')];
      expect([c1, c2].flatMap((container) => container.addresses)).to.have.members([
        '192.168.8.120/24',
        '192.168.8.123/24',
      ]);
      await expect(network.run('c3')).to.be.refusedByEngine(/no available IPv4 addresses/);
      await expect(network.run('c4', ['192.168.8.121'])).to.be.refusedByEngine(/[Aa]ddress already in use/);
      expect(await lab.ping(c2, node2)).to.be.answered();
    },
  );

  experiment(
    'X9.2',
    'docker, network with two subnets: containers of both subnets reach another host',
    { key: 'x9-docker-two-subnets' },
    async ({ lab, node1, node2 }) => {
      const network = await docker.network({ subnets: [article, second] });
      const [c1, c2, c3] = [
        await network.run('c1', ['192.168.8.120']),
        await network.run('c2', ['192.168.9.120']),
        await network.run('c3', ['192.168.9.121']),
      ];
      await Promise.all([c1, c2, c3].map((container) => expectChildOf(container, node1)));
      expect(await lab.ping(c2, c3)).to.be.answered();
      expect(await lab.ping(c1, node2)).to.be.answered();
      expect(await lab.ping(c2, node2)).to.be.answered();
    },
  );

  experiment(
    'X9.3',
    'docker, second network on one uplink: refused before version 28, works since',
    { key: 'x9-docker-shared-uplink' },
    async ({ lab, node1, node2, observe }) => {
      await docker.network({ name: 'first', subnets: [article] });
      const another = docker.network({ name: 'second', subnets: [second] });
      observe('docker', docker.version);
      if (Number.parseInt(docker.version) < 28) {
        const refusal = await expect(another).to.be.refusedByEngine(/is already using parent interface/);
        observe('second network', refusal.words.replace(/dm-\w+/, 'dm-…'));
        return;
      }
      const c2 = await (await another).run('c2', ['192.168.9.120']);
      await expectChildOf(c2, node1);
      expect(await lab.ping(c2, node2)).to.be.answered();
    },
  );

  experiment(
    'X9.4',
    'docker, passthru network on an uplink in use: refused, and the first network keeps working',
    { key: 'x9-docker-passthru-on-used-uplink', modes: ['passthru'] },
    async ({ lab, node2, observe }) => {
      const network = await docker.network({ name: 'first', subnets: [article] });
      const passthru = docker.network({ name: 'second', subnets: [second], mode: 'passthru' });
      const refusal = await expect(passthru).to.be.refusedByEngine(/already using parent interface/);
      observe('passthru beside a network', refusal.words.replace(/dm-\w+/, 'dm-…'));
      const c1 = await network.run('c1', ['192.168.8.120']);
      expect(await lab.ping(c1, node2)).to.be.answered();
    },
  );

  experiment(
    'X9.5',
    'docker, network with a missing parent: refused, and no link is created',
    { key: 'x9-docker-missing-parent' },
    async ({ node1, observe }) => {
      const before = await linkNames(node1);
      const misspelt = docker.network({ parent: 'uplink', subnets: [article] });
      const refusal = await expect(misspelt).to.be.refusedByEngine(/invalid subinterface/);
      observe('parent that is not there', refusal.words);
      expect(await linkNames(node1)).to.deep.equal(before);
    },
  );

  experiment(
    'X9.6',
    'docker, network or container name in use: the duplicate is refused, and the first container keeps working',
    { key: 'x9-docker-name-in-use' },
    async ({ lab, node2 }) => {
      const network = await docker.network({ subnets: [article] });
      await expect(docker.network({ subnets: [second] })).to.be.refusedByEngine(/already exists/);
      const c1 = await network.run('c1', ['192.168.8.120']);
      await expect(network.run('c1', ['192.168.8.121'])).to.be.refusedByEngine(/already in use/);
      await expect(network.remove()).to.be.refusedByEngine(/has active endpoints/);
      expect(await lab.ping(c1, node2)).to.be.answered();
    },
  );
});
