/** `macvlab lab down`: ends labs that were left running. */
import type { Command } from 'commander';
import { MacvlabError } from '../core/error.js';
import { endLab } from '../lab/drivers.js';
import { findKept, listKept } from '../lab/kept.js';
import { say } from './output.js';

/** Adds the command. */
export function addLabDown(lab: Command): void {
  lab
    .command('down')
    .description('end a lab that was left running')
    .option('--name <name>', 'which lab; not needed when only one is running')
    .option('--all', 'all of them, and the state files of dead ones')
    .action(async ({ name, all = false }: { name?: string; all?: boolean }) => {
      if (all && name !== undefined) {
        throw new MacvlabError('USAGE', '--all and --name exclude each other', { next: 'leave one of them out' });
      }
      const labs = all ? listKept() : [findKept(name)];
      for (const kept of labs) {
        await endLab(kept);
        say(`lab ${kept.name} has ended`);
      }
      if (labs.length === 0) say('no lab is running');
    });
}
