/** `macvlab lab up`: builds a lab and leaves it running. */
import { Option, type Command } from 'commander';
import { driverNames, loadDriver } from '../../machine/drivers.js';
import { exitCode } from '../../core/error.js';
import { checkFree, writeDetached } from '../../machine/detached/detached-labs.js';
import type { AddressPlan } from '../../lab/lab.js';
import { type ChosenOptions, chosenOptions } from '../../machine/options.js';
import { addLabOptions } from '../lab-options.js';
import { notice, print } from '../output.js';
import { columns } from '../../report/width.js';

/** The network of article A3: two nodes in one subnet, and a client connected to their router. */
const plan: AddressPlan = {
  node1: { addresses: ['192.168.245.168/24'], routes: [{ to: 'default', via: '192.168.245.1' }] },
  node2: { addresses: ['192.168.245.172/24'], routes: [{ to: 'default', via: '192.168.245.1' }] },
  router: { addresses: ['192.168.245.1/24'], behind: ['10.8.0.1/16'] },
  client: { addresses: ['10.8.0.241/16'], routes: [{ to: 'default', via: '10.8.0.1' }] },
};

/** Adds the command. */
export function addLabUp(lab: Command): void {
  const command = lab
    .command('up')
    .description('build a lab and keep it running')
    .option('--name <name>', 'the lab’s name (default: the first free of lab1, lab2 ...)')
    .addOption(new Option('--lab <name>', 'which lab').choices(driverNames).default('sandbox'));
  addLabOptions(command).action(
    async ({ name, lab: driver, ...given }: ChosenOptions & { name?: string; lab: string }) => {
      if (name !== undefined) checkFree(name);
      // The lab is torn down when its creator exits, which an unhandled signal would prevent.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => process.exit(exitCode.interrupted));
      const { Lab } = await import('../../lab/lab.js');
      const opened = await Lab.open(
        await loadDriver(driver, { ...chosenOptions(given), mayBeDetached: true, remark: notice }),
      );
      try {
        await opened.configure(plan);
        const kept = await writeDetached({ ...(await opened.detach()), name });
        print(`lab ${kept.name} is running`, ...columns(nodeRows()), '', ...nextSteps(kept.name));
      } catch (error) {
        await opened.close();
        throw error;
      }
    },
  );
}

function nodeRows(): string[][] {
  return Object.entries(plan).map(([node, { addresses = [], behind = [] }]) => [
    `  ${node}`,
    [...addresses, ...behind].join(' '),
  ]);
}

function nextSteps(name: string): string[] {
  return columns([
    [`macvlab lab shell node1 --name ${name}`, 'a shell on a node'],
    [`macvlab lab capture node1 --name ${name}`, 'its frames, as they come'],
    [`macvlab lab down --name ${name}`, 'ends the lab'],
  ]);
}
