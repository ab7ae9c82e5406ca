/** `macvlab lab capture`: the frames at an interface of a running lab, as they come. */
import type { Command } from 'commander';
import { MacvlabError } from '../core/error.js';
import { type NodeName, nodeNames, topology, uplinkOf } from '../lab/topology.js';
import { readLinks } from '../link/link-info.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import { untilInterrupted } from './interruption.js';
import { nodeArgument, onNode } from './lab-node.js';
import { positiveNumber } from './number-argument.js';

interface CaptureOptions {
  name?: string;
  namespace?: string;
  interface?: string;
  write?: string;
  promiscuous?: boolean;
  count?: number;
}

const examples = `
Examples:
  macvlab lab capture node1 --count 10
  macvlab lab capture switch --interface node2       the switch's port towards node2
  macvlab lab capture node1 'arp or icmp'            only what a tcpdump expression names
  macvlab lab capture node1 --namespace ns1          in a namespace that was made on the node: all its interfaces
  macvlab lab capture node1 --write node1.pcap
  macvlab lab capture node1 --write - | tshark -r -  the pcap as it grows; what else is said goes to standard error`;

/** Adds the command. */
export function addLabCapture(lab: Command): void {
  lab
    .command('capture')
    .description('show the frames at a node, as they come; Ctrl-C ends it')
    .addArgument(nodeArgument())
    .argument('[expression...]', 'only these frames, as tcpdump has it: icmp, or host 10.0.0.1')
    .option('--name <name>', 'which lab; not needed when only one is running')
    .option('--namespace <name>', 'listen in a network namespace on the node, where a macvlan child may be')
    .option(
      '--interface <interface>',
      'where to listen (default: the uplink; of the switch, all ports; of a namespace, all interfaces)',
    )
    .option('--write <file>', 'write them to a pcap file as well; - writes only the pcap, to standard output')
    .option('--promiscuous', 'set the interface promiscuous meanwhile, which changes what it is given')
    .option('--count <number>', 'end after this many frames', positiveNumber)
    .addHelpText('after', examples)
    .action(async (node: NodeName, expression: string[], options: CaptureOptions) => {
      const { name, namespace, promiscuous = false, count, write: file } = options;
      const { followFrames } = await import('./follow-frames.js');
      const signal = untilInterrupted();
      await onNode(name, node, async (session) => {
        const own = new NetworkStack(node, session, new CommandLog());
        const stack = namespace === undefined ? own : await inside(own, namespace);
        const devices =
          options.interface === undefined
            ? await (namespace === undefined ? devicesOf(node) : devicesIn(stack))
            : [options.interface];
        const filter = expression.join(' ');
        await followFrames(stack, devices, { promiscuous, count, file, signal, ...(filter && { filter }) });
      });
    });
}

/**
 * A namespace on a node, by its name there; "ns1" is also the one that an experiment calls so.
 * @throws MacvlabError CAPTURE_START when there is none of that name
 */
async function inside({ name: node, session, log }: NetworkStack, wanted: string): Promise<NetworkStack> {
  const { stdout } = await session.run(['ip', 'netns', 'list']);
  const names = stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
  const found = [wanted, `${node}-${wanted}`].find((name) => names.includes(name));
  if (found !== undefined) return new NetworkStack(`${node}/${wanted}`, session, log, found);
  const others = names.filter((name) => !nodeNames.includes(name as NodeName));
  throw new MacvlabError('CAPTURE_START', `there is no network namespace ${wanted} on ${node}`, {
    evidence: others.length > 0 ? `there are: ${others.join(', ')}` : '',
    next: `make it (\`ip netns add ${wanted}\` in \`macvlab lab shell ${node}\`), or name another one`,
  });
}

/** All interfaces of a namespace but its loopback. */
async function devicesIn(stack: NetworkStack): Promise<string[]> {
  const names = (await readLinks(stack)).map(({ ifname }) => ifname).filter((name) => name !== 'lo');
  if (names.length > 0) return names;
  throw new MacvlabError('CAPTURE_START', `${stack.name} has no interface`, {
    next: 'move one there first: `ip link set mac1 netns …`',
  });
}

/** A node's uplink, or all ports of the switch. */
function devicesOf(node: NodeName): string[] {
  const uplink = uplinkOf(node);
  return uplink === undefined || node === 'switch'
    ? topology.cables.filter(({ to }) => to.node === node).map(({ to }) => to.interface)
    : [uplink];
}
