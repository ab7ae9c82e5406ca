/** `macvlab lab`: detached labs, for manual experiments. */
import type { Command } from 'commander';
import { addLabCapture } from './lab-capture.js';
import { addLabDown } from './lab-down.js';
import { addLabPrepare } from './lab-prepare.js';
import { addLabShell } from './lab-shell.js';
import { addLabStatus } from './lab-status.js';
import { addLabUp } from './lab-up.js';

const examples = `
A lab is a network of node1, node2, switch, router and client. A name is needed only if several labs run.

Examples:
  macvlab lab up
  macvlab lab shell node1                            a shell; \`exit\` leaves it
  macvlab lab shell node1 -- ping -c 1 192.168.245.172
  macvlab lab capture node2                          in a second terminal; Ctrl-C ends it
  macvlab lab down
  macvlab lab prepare                                fetches and builds the images of guests`;

/** Adds the command and its subcommands. */
export function addLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('run a lab for manual work')
    .helpCommand(false)
    .addHelpText('after', examples);
  for (const add of [addLabUp, addLabStatus, addLabShell, addLabCapture, addLabDown, addLabPrepare]) add(lab);
}
