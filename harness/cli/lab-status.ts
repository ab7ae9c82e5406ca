/** `macvlab lab status`: labs that were left running. */
import type { Command } from 'commander';
import { attachKept } from '../lab/drivers.js';
import { type KeptLab, listKept } from '../lab/kept.js';
import { columns, say, sayJson } from './output.js';

/** A node as status shows it. */
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
    .description('show the labs that were left running')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      const labs = await Promise.all(listKept().map(async (kept) => ({ kept, nodes: await nodesOf(kept) })));
      if (json) {
        // Without the driver's state: it holds the lab's private key.
        sayJson(labs.map(({ kept: { state: _, ...kept }, nodes }) => ({ ...kept, nodes })));
        return;
      }
      if (labs.length === 0) say('no lab is running; begin one with `macvlab lab up`');
      for (const { kept, nodes } of labs) {
        say(`${kept.name}: ${kept.driver}, kernel ${kept.kernel}, ${describe(kept)}`);
        say(
          ...columns(
            nodes.map(({ node, device, state, addresses }) => [`  ${node}`, device, state, addresses.join(' ')]),
          ),
        );
      }
    });
}

function describe({ alive, created, keeper }: KeptLab): string {
  return alive
    ? `running since ${created}, held by process ${keeper.pid}`
    : 'dead: `macvlab gc` removes its state file';
}

async function nodesOf(kept: KeptLab): Promise<NodeStatus[]> {
  if (!kept.alive) return [];
  const { Lab } = await import('../lab/lab.js');
  const machines = await attachKept(kept);
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
