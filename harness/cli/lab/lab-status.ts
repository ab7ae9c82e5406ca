/** `macvlab lab status`: shows detached labs. */
import type { Command } from 'commander';
import { attachDetached } from '../../machine/drivers.js';
import { type DetachedLab, listDetached } from '../../machine/detached/detached-labs.js';
import { print, printJson } from '../output.js';
import { columns } from '../../report/width.js';

/** A node in the output of `lab status`. */
interface NodeStatus {
  node: string;
  device: string;
  /** "UP", "DOWN", "LOWERLAYERDOWN" (RFC 2863, ifOperStatus). */
  state: string;
  addresses: string[];
}

/** Adds the command. */
export function addLabStatus(lab: Command): void {
  lab
    .command('status')
    .description('list the running labs')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      const labs = await Promise.all(listDetached().map(async (kept) => ({ kept, nodes: await nodesOf(kept) })));
      if (json) {
        // Omits the driver's state: it contains the lab's private key.
        printJson(labs.map(({ kept: { state: _, ...kept }, nodes }) => ({ ...kept, nodes })));
        return;
      }
      if (labs.length === 0) print('no lab is running; begin one with `macvlab lab up`');
      for (const { kept, nodes } of labs) {
        print(`${kept.name}: ${kept.driver}, kernel ${kept.kernel}, ${describe(kept)}`);
        print(
          ...columns(
            nodes.map(({ node, device, state, addresses }) => [`  ${node}`, device, state, addresses.join(' ')]),
          ),
        );
      }
    });
}

function describe({ alive, created, keeper }: DetachedLab): string {
  return alive
    ? `running since ${created}, held by process ${keeper.pid}`
    : 'dead: `macvlab gc` removes its state file';
}

async function nodesOf(kept: DetachedLab): Promise<NodeStatus[]> {
  if (!kept.alive) return [];
  const { Lab } = await import('../../lab/lab.js');
  const machines = await attachDetached(kept);
  try {
    const lab = await Lab.attach(kept.driver, machines);
    const links = await Promise.all(lab.nodes.map(async (node) => ({ node: node.name, links: await node.links() })));
    return links.flatMap(({ node, links: ofNode }) =>
      ofNode
        .filter(({ ifname }) => ifname !== 'lo')
        .map(({ ifname, operstate, addr_info = [] }) => ({
          node,
          device: ifname,
          state: operstate,
          addresses: addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
        })),
    );
  } finally {
    await machines.close();
  }
}
