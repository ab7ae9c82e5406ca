/** `macvlab lab`: labs that are left running, to be played in. */
import type { Command } from 'commander';
import { addLabCapture } from './lab-capture.js';
import { addLabDown } from './lab-down.js';
import { addLabPrepare } from './lab-prepare.js';
import { addLabShell } from './lab-shell.js';
import { addLabStatus } from './lab-status.js';
import { addLabUp } from './lab-up.js';

const examples = `
A lab is a network of node1, node2, switch, router and client. It needs no name as long as it is the only one running.

Examples:
  macvlab lab up
  macvlab lab shell node1                            a shell; \`exit\` leaves it
  macvlab lab shell node1 -- ping -c 1 192.168.245.172
  macvlab lab capture node2                          in a second terminal; Ctrl-C ends it
  macvlab lab down
  macvlab lab prepare                                fetches what guests boot from`;

/** Adds the command and its subcommands. */
export function addLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('leave a lab running, and work in it by hand')
    .helpCommand(false)
    .addHelpText('after', examples);
  for (const add of [addLabUp, addLabStatus, addLabShell, addLabCapture, addLabDown, addLabPrepare]) add(lab);
}
