/** The Vagrantfile's machines, and the cards at the ends of their cables (vagrant/machines.rb). */
import type { Host } from '../driver.js';
import { cableEnds, type MachinePlace } from '../places.js';
import type { Topology } from '../topology.js';

/** Addresses of a cable's cards, at the node's end and at the switch's, by the node. */
const cables: Readonly<Record<string, { node: string; switch: string }>> = {
  node1: { node: '02:6d:76:6c:00:01', switch: '02:6d:76:6c:01:01' },
  node2: { node: '02:6d:76:6c:00:02', switch: '02:6d:76:6c:01:02' },
};

/** The cards of a machine that the topology's cables end at. */
export function cardsOf(place: MachinePlace, topology: Topology): Host['cards'] {
  return cableEnds(place, topology.cables).map(({ node, interface: name, cable }) => {
    const ends = cables[cable.from.node];
    if (!ends) throw new TypeError(`no Vagrant machine is at the end of ${cable.from.node}’s cable`);
    return { node, interface: name, mac: node === cable.from.node ? ends.node : ends.switch };
  });
}
