/** The network of every lab: two nodes and a router on a switch, and a client on the router's other side. */

export const nodeNames = ['node1', 'node2', 'switch', 'router', 'client'] as const;
export type NodeName = (typeof nodeNames)[number];

/** One cable: an interface of one node to an interface of another. */
export interface Cable {
  from: { node: NodeName; interface: string };
  to: { node: NodeName; interface: string };
}

/** Nodes and cables of a lab. Each interface of the switch has the name of the node at the other end. */
export interface Topology {
  nodes: readonly NodeName[];
  cables: readonly Cable[];
  /** The switch's bridge device, which joins all its interfaces. */
  bridge: string;
}

const uplink = 'eth1';

/** The articles' network. */
export const topology: Topology = {
  nodes: nodeNames,
  bridge: 'br0',
  cables: [
    { from: { node: 'node1', interface: uplink }, to: { node: 'switch', interface: 'node1' } },
    { from: { node: 'node2', interface: uplink }, to: { node: 'switch', interface: 'node2' } },
    { from: { node: 'router', interface: uplink }, to: { node: 'switch', interface: 'router' } },
    { from: { node: 'client', interface: uplink }, to: { node: 'router', interface: 'eth2' } },
  ],
};

/** An external bridge that replaces the lab's switch: its device, and its port names by the node at the other end. */
export interface NamedBridge {
  device: string;
  ports: Partial<Record<NodeName, string>>;
}

/** A topology with fewer nodes, with other names for their uplinks, or with another bridge. */
export function variantOf(
  { nodes, cables, bridge }: Topology,
  holds: (node: NodeName) => boolean,
  uplinks: Partial<Record<NodeName, string>>,
  named?: NamedBridge,
): Topology {
  const variant = cables.map(({ from, to }) => ({
    from: { ...from, interface: uplinks[from.node] ?? from.interface },
    to: to.node === 'switch' ? { ...to, interface: named?.ports[from.node] ?? to.interface } : to,
  }));
  return {
    bridge: named?.device ?? bridge,
    nodes: nodes.filter(holds),
    cables: variant.filter(({ from, to }) => holds(from.node) && holds(to.node)),
  };
}

/** A node's interface towards the rest of the lab. */
export function uplinkOf(node: NodeName, { cables }: Topology = topology): string | undefined {
  return cables.find((cable) => cable.from.node === node)?.from.interface;
}
