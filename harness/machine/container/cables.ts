/** The cables between a lab's containers: veth pairs, with each end created directly in its namespace. */
import { cableEnds, threeMachines } from '../places.js';
import type { Host } from '../driver.js';
import type { Topology } from '../topology.js';
import { firstIndex } from '../link-identity.js';
import { randomMac } from '../link-identity.js';

type Card = Host['cards'][number];

/** A cable from the container with the switch to another one. */
export interface ContainerCable {
  /** Name of the other container's place. */
  to: string;
  near: Card;
  far: Card;
  /** Interface index of the near end. */
  index: number;
}

/** The cables between containers. Each end has its own MAC address. */
export function containerCables({ cables }: Topology): ContainerCable[] {
  const [home, ...others] = threeMachines;
  return cableEnds(home, cables).flatMap(({ node, interface: name, cable }) => {
    const place = others.find(({ nodes }) => cableEnds({ name: '', nodes }, [cable]).length > 0);
    const end = place && cableEnds(place, [cable])[0];
    if (!place || !end) return [];
    return {
      to: place.name,
      near: { node, interface: name, mac: randomMac() },
      far: { node: end.node, interface: end.interface, mac: randomMac() },
      // As in wiring for cables within one machine, so that no two indexes are the same.
      index: firstIndex + cables.indexOf(cable),
    };
  });
}

/**
 * A line of `ip -batch`, for the container with the switch, that creates a cable. All containers of a lab share their
 * process namespace, so a process of the other container identifies its network namespace.
 * @param pid of any process in the other container
 */
export function cableLine({ near, far, index }: ContainerCable, pid: number): string {
  return [
    ...['link add name', near.interface, 'index', index, 'address', near.mac, 'type veth'],
    ...['peer name', far.interface, 'address', far.mac, 'netns', pid],
  ].join(' ');
}
