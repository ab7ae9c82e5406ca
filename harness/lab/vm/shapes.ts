/** How a lab's nodes are spread over guests. */
import { type Cable, type NodeName, nodeNames } from '../topology.js';

/** A guest and the nodes on it. */
export interface GuestPlace {
  name: string;
  nodes: readonly NodeName[];
  /** The node that is the guest itself; all others on it are namespaces. */
  own?: NodeName;
}

/** One guest with all nodes as namespaces, or one for each end of the articles' cable and one for what lies between. */
export const shapes = {
  1: [{ name: 'guest', nodes: nodeNames }],
  3: [
    { name: 'switch', nodes: ['switch', 'router', 'client'], own: 'switch' },
    { name: 'node1', nodes: ['node1'], own: 'node1' },
    { name: 'node2', nodes: ['node2'], own: 'node2' },
  ],
} as const satisfies Record<number, readonly GuestPlace[]>;

/** How many guests a lab has. */
export type GuestCount = keyof typeof shapes;

export const guestCounts = Object.keys(shapes).map(Number) as GuestCount[];

/** The end of a cable that comes to a guest from another. */
export interface CableEnd {
  node: NodeName;
  interface: string;
  cable: Cable;
}

/** The ends of cables on a guest whose other end is on another guest. */
export function cableEnds({ nodes }: GuestPlace, cables: readonly Cable[]): CableEnd[] {
  return cables.flatMap((cable) => {
    const own = [cable.from, cable.to].filter(({ node }) => nodes.includes(node));
    const [end] = own;
    return own.length === 1 && end ? [{ ...end, cable }] : [];
  });
}
