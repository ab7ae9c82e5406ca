/** `macvlab gc`: clears away what ended or killed commands have left. */
import type { Command } from 'commander';
import { endLostKeeper, findLostKeepers } from '../lab/keepers.js';
import { listDamaged, listKept, removeLostFolders, removeStale } from '../lab/kept.js';
import { say } from './output.js';

const why = `
A killed run leaves nothing in the kernel: a sandbox ends with the process that holds it. What can be left are the state
file of a lab that has ended, and a lab whose \`macvlab lab up\` was killed in the moment of letting it go. A process is
ended only if its command, environment, user and namespaces prove it to be such a lab's. Running labs are left alone.`;

/** Adds the command. */
export function addGc(program: Command): void {
  program
    .command('gc')
    .description('clear away what ended or killed commands have left')
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', why)
    .action(({ dryRun = false }: { dryRun?: boolean }) => {
      const labs = listKept();
      const lost = findLostKeepers();
      const dead = dryRun ? labs.filter(({ alive }) => !alive) : removeStale();
      if (!dryRun) for (const keeper of lost) endLostKeeper(keeper);
      const folders = dryRun ? 0 : removeLostFolders();
      const [removed, ended] = dryRun ? ['would be removed', 'would be ended'] : ['removed', 'ended'];
      say(
        ...dead.map(({ name }) => `lab ${name} is dead: its state file ${dryRun ? removed : `is ${removed}`}`),
        ...lost.map(({ pid }) => `process ${pid} holds a lab that nobody knows of: ${ended}`),
        ...labs.filter(({ alive }) => alive).map(({ name }) => `lab ${name} is running: left alone`),
        ...listDamaged().map(({ file, why: reason }) => `${file} is no state of a lab: left alone (${reason})`),
      );
      if (folders > 0) say(`${folders} ${folders === 1 ? 'folder' : 'folders'} of labs that were never kept: removed`);
      if (dead.length + lost.length + folders === 0) say('nothing was left behind');
    });
}
