/** `macvlab gc`: removes leftovers of ended or killed commands. */
import { type Command, Option } from 'commander';
import { exitCode } from '../core/error.js';
import { driverModule, driverNames } from '../machine/drivers.js';
import { endLostHolder, findLostHolders } from '../machine/detached/holders.js';
import { listDamaged, listDetached, removeLostFolders, removeStale } from '../machine/detached/detached-labs.js';
import { exitsWith } from './exits-with.js';
import { notice, print } from './output.js';

const why = `
A killed run leaves nothing in the kernel: a sandbox ends with its holder process, and so do containers. Possible leftovers are the
state file of a lab that has ended, a lab whose \`macvlab lab up\` was killed before it detached the lab, a container that was
created and never started, and this checkout’s Vagrant machines of a run. A process is ended only if its command, environment, user
and namespaces identify it as such a lab's. A container is removed only if its labels do. Running labs are not touched.

With --lab inventory, changes to real hosts' own networks are reverted from the run's journal. If a host cannot be reached, its
journal stays, and the exit code is ${exitCode.lab}.`;

/** Adds the command. */
export function addGc(program: Command): void {
  program
    .command('gc')
    .description('remove leftovers of ended or killed commands')
    .option('--dry-run', 'only print the actions')
    .addOption(new Option('--lab <driver>', 'only leftovers of this driver’s labs').choices(['inventory']))
    .addHelpText('after', why)
    .action(
      exitsWith(async ({ dryRun = false, lab }: { dryRun?: boolean; lab?: string }) => {
        const own = lab === undefined ? await clearLabs(dryRun) : 0;
        let count = own;
        let failed = false;
        for (const name of lab === undefined ? driverNames : [lab]) {
          const left = await clearLeftovers(name, dryRun);
          count += left.count;
          failed ||= left.failed;
        }
        if (count === 0) print('nothing was left behind');
        return failed ? exitCode.lab : exitCode.ok;
      }),
    );
}

/** Removes the leftovers that all labs have in common: state files, holders and folders. Returns how many there were. */
async function clearLabs(dryRun: boolean): Promise<number> {
  const labs = listDetached();
  const lost = findLostHolders();
  const dead = dryRun ? labs.filter(({ alive }) => !alive) : await removeStale();
  if (!dryRun) for (const holder of lost) endLostHolder(holder);
  const folders = dryRun ? 0 : removeLostFolders();
  const [removed, ended] = dryRun ? ['would be removed', 'would be ended'] : ['is removed', 'ended'];
  print(
    ...dead.map(({ name }) => `lab ${name} is dead: its state file ${removed}`),
    ...lost.map(({ pid }) => `process ${pid} holds a lab without a state file: ${ended}`),
    ...labs.filter(({ alive }) => alive).map(({ name }) => `lab ${name} is running: left alone`),
    ...listDamaged().map(({ file, why: reason }) => `${file} is no state of a lab: left alone (${reason})`),
  );
  if (folders > 0) print(`${folders} ${folders === 1 ? 'folder' : 'folders'} of labs that were never kept: removed`);
  return dead.length + lost.length + folders;
}

/** Removes the leftovers of a driver's killed runs. Returns how many there were, and whether one remains. */
async function clearLeftovers(name: string, dryRun: boolean): Promise<{ count: number; failed: boolean }> {
  const left = (await (await driverModule(name)).leftovers?.({ dryRun })) ?? [];
  for (const { line, trouble } of left) {
    if (line !== undefined) print(line);
    if (trouble !== undefined) notice(trouble);
  }
  const count = left.filter(({ line, failed }) => line !== undefined || failed).length;
  return { count, failed: left.some(({ failed }) => failed) };
}
