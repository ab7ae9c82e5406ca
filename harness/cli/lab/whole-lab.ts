/** All interfaces of a running lab, as `lab capture --all` listens on them. */
import { type LinkInfo, macvlanMode, readLinks } from '../../link/link-info.js';
import { nodeNames, topology } from '../../machine/topology.js';
import { NetworkStack } from '../../remote/network-stack.js';
import type { FollowedPoint, FollowOptions } from './follow-frames.js';

/**
 * The uplinks, the ports of the switch, and the interfaces in namespaces that exist now; each in two directions.
 * @param stacks of the nodes
 * @throws MacvlabError if a node does not answer
 */
export async function wholeLab(
  stacks: readonly NetworkStack[],
): Promise<{ points: FollowedPoint[]; names: NonNullable<FollowOptions['names']> }> {
  const cabled = (stack: NetworkStack) =>
    topology.cables.flatMap(({ from, to }) =>
      [from, to].flatMap((end) => (end.node === stack.name ? [end.interface] : [])),
    );
  const namespaces = await namespacesOn(stacks);
  const parts = await Promise.all(
    [...stacks, ...namespaces].map(async (stack) => {
      const links = (await readLinks(stack)).filter(({ ifname }) => ifname !== 'lo');
      const known = stacks.includes(stack) ? cabled(stack) : links.map(({ ifname }) => ifname);
      return links.filter(({ ifname }) => known.includes(ifname)).map((link) => ({ stack, link }));
    }),
  );
  const found = parts.flat();
  return {
    points: found.flatMap(({ stack, link }) =>
      (['in', 'out'] as const).map((direction) => ({
        ...{ stack, device: link.ifname, direction },
        description: describe(stack, link, direction),
      })),
    ),
    names: found
      .filter(({ stack }) => stack.name !== 'switch')
      .flatMap(({ stack, link }) => (link.address ? [[link.address, stack.name] as const] : [])),
  };
}

/** "macvlan child, mode vepa, MAC 02:…, frames that come in" */
function describe(stack: NetworkStack, link: LinkInfo, direction: 'in' | 'out'): string {
  const mode = macvlanMode(link);
  const what = mode === undefined ? `interface of ${stack.name}` : `macvlan child, mode ${mode}`;
  return [what, `MAC ${link.address}`, `frames that ${direction === 'in' ? 'come in' : 'go out'}`].join(', ');
}

/** The namespaces on the nodes. Nodes may be on one machine, and list each other's namespaces: "node1-ns1" is on node1. */
async function namespacesOn(stacks: readonly NetworkStack[]): Promise<NetworkStack[]> {
  const known = new Set<string>(nodeNames);
  const found: NetworkStack[] = [];
  for (const { name: node, session, log } of stacks) {
    const { stdout } = await session.run(['ip', 'netns', 'list']);
    for (const line of stdout.split('\n')) {
      const name = line.split(' ')[0] ?? '';
      const owner = nodeNames.find((other) => name.startsWith(`${other}-`)) ?? node;
      if (name === '' || known.has(name) || owner !== node) continue;
      known.add(name);
      found.push(new NetworkStack(`${node}/${name.replace(`${node}-`, '')}`, session, log, name));
    }
  }
  return found;
}
