/** How a lab's nodes are distributed over guests. */
import { type MachinePlace, threeMachines } from '../places.js';
import { nodeNames } from '../topology.js';

/** One guest with all nodes as namespaces; or one for each end of the articles' cable, and one for the nodes between them. */
export const shapes = {
  1: [{ name: 'guest', nodes: nodeNames }],
  3: threeMachines,
} as const satisfies Record<number, readonly MachinePlace[]>;

/** The number of a lab's guests. */
export type GuestCount = keyof typeof shapes;

export const guestCounts = Object.keys(shapes).map(Number) as GuestCount[];
