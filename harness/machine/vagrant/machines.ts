/** The NICs of the Vagrantfile's machines at the ends of their cables (vagrant/machines.rb). */
import type { Host } from '../driver.js';
import { cableEnds, type MachinePlace } from '../places.js';
import type { Topology } from '../topology.js';

/** MAC addresses of a cable's NICs, at the node's end and at the switch's end, by node. */
const cables: Readonly<Record<string, { node: string; switch: string }>> = {
  node1: { node: '02:6d:76:6c:00:01', switch: '02:6d:76:6c:01:01' },
  node2: { node: '02:6d:76:6c:00:02', switch: '02:6d:76:6c:01:02' },
};

/** The NICs of a machine at the ends of the topology's cables. */
export function cardsOf(place: MachinePlace, topology: Topology): Host['cards'] {
  return cableEnds(place, topology.cables).map(({ node, interface: name, cable }) => {
    const ends = cables[cable.from.node];
    if (!ends) throw new TypeError(`no Vagrant machine is at the end of ${cable.from.node}’s cable`);
    return { node, interface: name, mac: node === cable.from.node ? ends.node : ends.switch };
  });
}
