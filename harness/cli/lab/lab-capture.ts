/** `macvlab lab capture`: shows the frames at an interface of a running lab as they arrive. */
import type { Command } from 'commander';
import { MacvlabError } from '../../core/error.js';
import { type NodeName, nodeNames, topology, uplinkOf } from '../../machine/topology.js';
import { readLinks } from '../../link/link-info.js';
import { CommandLog } from '../../remote/command-log.js';
import { NetworkStack } from '../../remote/network-stack.js';
import { untilInterrupted } from '../interruption.js';
import { onAllNodes, onNode } from './lab-node.js';
import { wholeLab } from './whole-lab.js';
import { positiveNumber } from '../number-argument.js';

interface CaptureOptions {
  all?: boolean;
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
  macvlab lab capture switch --interface node2       the switch port of node2
  macvlab lab capture node1 'arp or icmp'            only frames that match a tcpdump expression
  macvlab lab capture node1 --namespace ns1          in a namespace on the node: all its interfaces
  macvlab lab capture node1 --write node1.pcapng
  macvlab lab capture --all --write - | wireshark -k -i -
                                                     the whole lab in one window; messages go to standard error`;

/** Adds the command. */
export function addLabCapture(lab: Command): void {
  lab
    .command('capture')
    .description('show the frames at a node or in the whole lab, live; Ctrl-C ends it')
    .argument('[node]', `which node: ${nodeNames.join(', ')}`)
    .argument('[expression...]', 'a tcpdump expression: icmp, or host 10.0.0.1')
    .option('--all', 'listen on all interfaces of the lab: uplinks, switch ports, and those in namespaces')
    .option('--name <name>', 'which lab; not needed when only one is running')
    .option('--namespace <name>', 'listen in a network namespace on the node, for example of a macvlan child')
    .option(
      '--interface <interface>',
      'interface (default: the uplink; on the switch all ports, in a namespace all interfaces)',
    )
    .option('--write <file>', 'also write a pcapng file; - writes only that, to standard output')
    .option(
      '--promiscuous',
      'put the interface in promiscuous mode while capturing (may change the traffic it receives)',
    )
    .option('--count <number>', 'end after this many frames', positiveNumber)
    .addHelpText('after', examples)
    .action(async (word: string | undefined, others: string[], options: CaptureOptions) => {
      const { name, namespace, promiscuous = false, count, write: file } = options;
      const { followFrames } = await import('./follow-frames.js');
      if (options.all) {
        refuseWithAll(options);
        const filter = [...(word === undefined ? [] : [word]), ...others].join(' ');
        const signal = untilInterrupted();
        await onAllNodes(name, async (stacks) => {
          const { points, names } = await wholeLab(stacks);
          await followFrames(points, { promiscuous, count, file, signal, names, ...(filter && { filter }) });
        });
        return;
      }
      const node = nodeOf(word);
      const filter = others.join(' ');
      const signal = untilInterrupted();
      await onNode(name, node, async (session) => {
        const own = new NetworkStack(node, session, new CommandLog());
        const stack = namespace === undefined ? own : await inside(own, namespace);
        const devices =
          options.interface === undefined
            ? await (namespace === undefined ? devicesOf(node) : devicesIn(stack))
            : [options.interface];
        const points = devices.map((device) => ({ stack, device }));
        await followFrames(points, { promiscuous, count, file, signal, ...(filter && { filter }) });
      });
    });
}

/** @throws MacvlabError USAGE if it is no node, or missing */
function nodeOf(word: string | undefined): NodeName {
  const node = nodeNames.find((name) => name === word);
  if (node !== undefined) return node;
  throw new MacvlabError('USAGE', word === undefined ? 'which node is missing' : `there is no node ${word}`, {
    next: `name one of ${nodeNames.join(', ')}, or use --all`,
  });
}

/** @throws MacvlabError USAGE for an option that names one interface */
function refuseWithAll({ namespace, interface: device }: CaptureOptions): void {
  if (namespace === undefined && device === undefined) return;
  throw new MacvlabError(
    'USAGE',
    `--all listens everywhere, and --${namespace ? 'namespace' : 'interface'} in one place`,
    {
      next: 'leave one of the two out',
    },
  );
}

/**
 * A namespace on a node, by its name there. "ns1" also matches the namespace that an experiment calls "ns1".
 * @throws MacvlabError CAPTURE_START if no namespace has that name
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

/** All interfaces of a namespace except its loopback interface. */
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
