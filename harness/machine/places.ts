/** How a lab's nodes are distributed over several machines, and the cables between the machines. */
import type { Cable, NodeName } from './topology.js';

/** A machine and the nodes on it. */
export interface MachinePlace {
  name: string;
  nodes: readonly NodeName[];
  /** The node that is the machine itself; all others on it are namespaces. */
  own?: NodeName;
}

/** A machine for each end of the articles' cable, and one for the nodes between them. That one is first, since it creates the cables. */
export const threeMachines = [
  { name: 'switch', nodes: ['switch', 'router', 'client'], own: 'switch' },
  { name: 'node1', nodes: ['node1'], own: 'node1' },
  { name: 'node2', nodes: ['node2'], own: 'node2' },
] as const satisfies readonly MachinePlace[];

/** The end of a cable on this machine, if the other end is on another machine. */
export interface CableEnd {
  node: NodeName;
  interface: string;
  cable: Cable;
}

/** The ends of cables on a machine whose other end is on another machine. */
export function cableEnds({ nodes }: MachinePlace, cables: readonly Cable[]): CableEnd[] {
  return cables.flatMap((cable) => {
    const own = [cable.from, cable.to].filter(({ node }) => nodes.includes(node));
    const [end] = own;
    return own.length === 1 && end ? [{ ...end, cable }] : [];
  });
}
