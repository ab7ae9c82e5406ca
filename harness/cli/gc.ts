/** `macvlab gc`: clears away what ended or killed commands have left. */
import { type Command, Option } from 'commander';
import { exitCode, formatError, messageOf } from '../core/error.js';
import { endLostKeeper, findLostKeepers } from '../lab/keepers.js';
import { listDamaged, listKept, removeLostFolders, removeStale } from '../lab/kept.js';
import { remark, say } from './output.js';

const why = `
A killed run leaves nothing in the kernel: a sandbox ends with the process that holds it, and so do containers. What can be
left are the state file of a lab that has ended, a lab whose \`macvlab lab up\` was killed in the moment of letting it go, a
container that was made and not yet started, and this checkout’s Vagrant machines, where a run has made them. A process is
ended only if its command, environment, user and namespaces prove it to be such a lab's, and a container removed only if its
labels do. Running labs are left alone.

What was changed of real hosts' own networks (--lab inventory) is taken back on them, from the journal of the run; a host that
cannot be reached keeps its journal, and the exit code is ${exitCode.lab}.`;

/** Adds the command. */
export function addGc(program: Command): void {
  program
    .command('gc')
    .description('clear away what ended or killed commands have left')
    .option('--dry-run', 'only say what would be done')
    .addOption(new Option('--lab <driver>', 'only what labs of this driver have left').choices(['inventory']))
    .addHelpText('after', why)
    .action(async ({ dryRun = false, lab }: { dryRun?: boolean; lab?: string }) => {
      if (lab === 'inventory') {
        if ((await clearInventory(dryRun)) === 0) say('nothing was left behind');
        return;
      }
      const labs = listKept();
      const lost = findLostKeepers();
      const dead = dryRun ? labs.filter(({ alive }) => !alive) : await removeStale();
      if (!dryRun) for (const keeper of lost) endLostKeeper(keeper);
      const folders = dryRun ? 0 : removeLostFolders();
      const containers = await clearContainers(dryRun);
      const machines = await clearVagrant(dryRun);
      const hosts = await clearInventory(dryRun);
      const [removed, ended] = dryRun ? ['would be removed', 'would be ended'] : ['removed', 'ended'];
      say(
        ...dead.map(({ name }) => `lab ${name} is dead: its state file ${dryRun ? removed : `is ${removed}`}`),
        ...lost.map(({ pid }) => `process ${pid} holds a lab that nobody knows of: ${ended}`),
        ...containers.map((name) => `container ${name} was left by a run that is gone: ${removed}`),
        ...(machines ? [`the Vagrant machines of this checkout were left by a run that is gone: ${removed}`] : []),
        ...labs.filter(({ alive }) => alive).map(({ name }) => `lab ${name} is running: left alone`),
        ...listDamaged().map(({ file, why: reason }) => `${file} is no state of a lab: left alone (${reason})`),
      );
      if (folders > 0) say(`${folders} ${folders === 1 ? 'folder' : 'folders'} of labs that were never kept: removed`);
      if (dead.length + lost.length + folders + containers.length + Number(machines) + hosts === 0)
        say('nothing was left behind');
    });
}

/** Names of containers that killed runs have left; where an engine does not answer, that is said. */
async function clearContainers(dryRun: boolean): Promise<string[]> {
  const { clearAway } = await import('../lab/container/leftovers.js');
  try {
    return (await clearAway({ dryRun })).map(({ name }) => name);
  } catch (error) {
    remark(`containers were not looked for: ${messageOf(error)}`);
    return [];
  }
}

/** Whether a killed run has left Vagrant machines; where Vagrant does not remove them, that is said. */
async function clearVagrant(dryRun: boolean): Promise<boolean> {
  const { clearMachines } = await import('../lab/vagrant/leftovers.js');
  try {
    return await clearMachines({ dryRun });
  } catch (error) {
    remark(`the Vagrant machines were not removed\n${formatError(error)}`);
    return false;
  }
}

/** Takes back what killed runs have changed of hosts, and says so; returns of how many. */
async function clearInventory(dryRun: boolean): Promise<number> {
  const { clearHosts } = await import('../lab/inventory/leftovers.js');
  const restored = await clearHosts({ dryRun });
  for (const { host, undone, run, file, failure } of restored) {
    const changes = `${undone} ${undone === 1 ? 'change' : 'changes'} of a run that is gone`;
    const are = dryRun ? 'would be' : undone === 1 ? 'is' : 'are';
    if (undone > 0) say(`${host}: ${changes} ${are} taken back (${run})`);
    if (!failure) continue;
    remark(`${host} is not as it was: ${formatError(failure)}\nthe journal stays: ${file}`);
    process.exitCode = exitCode.lab;
  }
  return restored.filter(({ undone, failure }) => undone > 0 || failure).length;
}
