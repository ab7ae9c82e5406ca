/** `macvlab lab capture`: the frames at an interface of a running lab, as they come. */
import type { Command } from 'commander';
import { type NodeName, topology, uplinkOf } from '../lab/topology.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import { untilInterrupted } from './interruption.js';
import { nodeArgument, onNode } from './lab-node.js';
import { positiveNumber } from './number-argument.js';

interface CaptureOptions {
  name?: string;
  interface?: string;
  write?: string;
  promiscuous?: boolean;
  count?: number;
}

const examples = `
Examples:
  macvlab lab capture node1 --count 10
  macvlab lab capture switch --interface node2       the switch's port towards node2
  macvlab lab capture node1 --write node1.pcap`;

/** Adds the command. */
export function addLabCapture(lab: Command): void {
  lab
    .command('capture')
    .description('show the frames at a node, as they come; Ctrl-C ends it')
    .addArgument(nodeArgument())
    .option('--name <name>', 'which lab; not needed when only one is running')
    .option('--interface <interface>', 'where to listen (default: the uplink; of the switch, all ports)')
    .option('--write <file>', 'write them to a pcap file as well')
    .option('--promiscuous', 'set the interface promiscuous meanwhile, which changes what it is given')
    .option('--count <number>', 'end after this many frames', positiveNumber)
    .addHelpText('after', examples)
    .action(async (node: NodeName, { name, promiscuous = false, ...options }: CaptureOptions) => {
      const { followFrames } = await import('./follow-frames.js');
      const signal = untilInterrupted();
      await onNode(name, node, async (session) => {
        const stack = new NetworkStack(node, session, new CommandLog());
        const devices = options.interface === undefined ? devicesOf(node) : [options.interface];
        await followFrames(stack, devices, { promiscuous, count: options.count, file: options.write, signal });
      });
    });
}

/** A node's uplink, or all ports of the switch. */
function devicesOf(node: NodeName): string[] {
  const uplink = uplinkOf(node);
  return uplink === undefined || node === 'switch'
    ? topology.cables.filter(({ to }) => to.node === node).map(({ to }) => to.interface)
    : [uplink];
}
