/** `macvlab lab down`: ends detached labs. */
import type { Command } from 'commander';
import { MacvlabError } from '../../core/error.js';
import { endLab } from '../../machine/drivers.js';
import { findDetached, listDetached } from '../../machine/detached/detached-labs.js';
import { print } from '../output.js';

/** Adds the command. */
export function addLabDown(lab: Command): void {
  lab
    .command('down')
    .description('end a running lab')
    .option('--name <name>', 'which lab; not needed when only one is running')
    .option('--all', 'all labs, and the state files of dead labs')
    .action(async ({ name, all = false }: { name?: string; all?: boolean }) => {
      if (all && name !== undefined) {
        throw new MacvlabError('USAGE', '--all and --name exclude each other', { next: 'leave one of them out' });
      }
      const labs = all ? listDetached() : [findDetached(name)];
      for (const kept of labs) {
        await endLab(kept);
        print(`lab ${kept.name} has ended`);
      }
      if (labs.length === 0) print('no lab is running');
    });
}
