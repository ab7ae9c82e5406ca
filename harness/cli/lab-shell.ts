/** `macvlab lab shell`: a shell or a command on a node of a running lab. */
import type { Command } from 'commander';
import type { NodeName } from '../lab/topology.js';
import { nodeArgument, onNode } from './lab-node.js';
import { remark } from './output.js';
import { openTerminal } from './remote-terminal.js';
import { streamCommand } from './remote-command.js';

const examples = `
Examples:
  macvlab lab shell node1
  macvlab lab shell node1 -- ip -d link show eth1    what stands after -- is run, and its exit status is passed on
  macvlab lab shell switch <steps.sh                 a shell that reads its commands from a file`;

/** What one stands on in a node, by the lab's driver: whether it matters what is written there. */
const grounds: Readonly<Record<string, string>> = {
  sandbox:
    'a network namespace on this machine’s own kernel; files that are written here are in memory, and go with the lab',
  vm: 'in a guest; files that are written here are in its memory, and go with the lab',
  container: 'in a container; files that are written here go with the lab',
  vagrant: 'on a machine of Vagrant’s; files that are written here STAY on its disk',
};

/** Adds the command. */
export function addLabShell(lab: Command): void {
  lab
    .command('shell')
    .description('open a shell on a node, or run a command there')
    .addArgument(nodeArgument())
    .argument('[command...]', 'a program and its arguments, after --')
    .option('--name <name>', 'which lab; not needed when only one is running')
    .addHelpText('after', examples)
    .action(async (node: NodeName, command: string[], { name }: { name?: string }) => {
      process.exitCode = await onNode(name, node, (session, kept) => {
        if (command.length > 0) return streamCommand(session, command);
        if (!process.stdin.isTTY) return streamCommand(session, ['sh']);
        remark(`${node} of lab ${kept.name}: ${grounds[kept.driver] ?? kept.driver}`, '`exit` leaves it');
        return openTerminal(session, node);
      });
    });
}
