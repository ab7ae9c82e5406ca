/** `macvlab lab shell`: a shell or a command on a node of a running lab. */
import type { Command } from 'commander';
import type { NodeName } from '../../machine/topology.js';
import { nodeArgument, onNode } from './lab-node.js';
import { exitsWith } from '../exits-with.js';
import { notice } from '../output.js';
import { openTerminal } from './remote-terminal.js';
import { streamCommand } from './remote-command.js';

const examples = `
Examples:
  macvlab lab shell node1
  macvlab lab shell node1 -- ip -d link show eth1    run the command after --; its exit status is returned
  macvlab lab shell switch <steps.sh                 a shell that reads its commands from a file`;

/** Where a shell runs and where its files are stored, by the lab's driver. */
const grounds: Readonly<Record<string, string>> = {
  sandbox: 'a network namespace on this machine’s own kernel; files are stored in memory and removed with the lab',
  vm: 'in a guest; files are stored in its memory and removed with the lab',
  container: 'in a container; files are removed with the lab',
  vagrant: 'on a Vagrant machine; files STAY on its disk',
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
    .action(
      exitsWith(async (node: NodeName, command: string[], { name }: { name?: string }) => {
        return onNode(name, node, (session, kept) => {
          if (command.length > 0) return streamCommand(session, command);
          if (!process.stdin.isTTY) return streamCommand(session, ['sh']);
          notice(`${node} of lab ${kept.name}: ${grounds[kept.driver] ?? kept.driver}`, '`exit` leaves it');
          return openTerminal(session, node);
        });
      }),
    );
}
