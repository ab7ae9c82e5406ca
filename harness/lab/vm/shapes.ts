/** How a lab's nodes are spread over guests. */
import { type MachinePlace, threeMachines } from '../places.js';
import { nodeNames } from '../topology.js';

/** One guest with all nodes as namespaces, or one for each end of the articles' cable and one for what lies between. */
export const shapes = {
  1: [{ name: 'guest', nodes: nodeNames }],
  3: threeMachines,
} as const satisfies Record<number, readonly MachinePlace[]>;

/** How many guests a lab has. */
export type GuestCount = keyof typeof shapes;

export const guestCounts = Object.keys(shapes).map(Number) as GuestCount[];
