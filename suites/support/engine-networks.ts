/** The introduction's docker experiments, for each container engine: one network on two nodes, its options, its modes. */
import type { EngineKind } from '../../harness/engine/networking.js';
import type { ContainerHost } from '../../harness/lab/container/container-host.js';
import { setUp, suite } from '../../harness/run/experiment.js';
import { addresses } from './container-networks.js';
import { addressesOfContainers } from './engine-addresses.js';
import { modesOfNetworks } from './engine-modes.js';
import { networkOnTwoNodes } from './engine-two-nodes.js';

/** Declares the experiments on untagged networks of an engine. */
export function containerNetworks(kind: EngineKind): void {
  suite(`A0 ${kind} networks`, { addresses, needs: [kind] }, () => {
    let hosts: readonly [ContainerHost, ContainerHost];

    setUp(async ({ lab, node1, node2 }) => {
      hosts = await Promise.all([lab.containerHost(node1, kind), lab.containerHost(node2, kind)]);
    });

    networkOnTwoNodes(kind, () => hosts);
    modesOfNetworks(kind, () => hosts[0]);
    addressesOfContainers(kind, () => hosts[0]);
  });
}
