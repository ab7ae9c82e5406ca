/** `macvlab lab up`: builds a lab and leaves it running. */
import { Option, type Command } from 'commander';
import { driverNames, loadDriver } from '../lab/drivers.js';
import { exitCode } from '../core/error.js';
import { checkFree, writeKept } from '../lab/kept.js';
import type { AddressPlan } from '../lab/lab.js';
import { addLabOptions, type GivenLabOptions, labOptions } from './lab-options.js';
import { columns, remark, say } from './output.js';

/** The network of article A3: two nodes in one subnet, and a client behind their router. */
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
    .description('build a lab and leave it running')
    .option('--name <name>', 'what to call it (default: the first free of lab1, lab2 ...)')
    .addOption(new Option('--lab <name>', 'which lab').choices(driverNames).default('sandbox'));
  addLabOptions(command).action(
    async ({ name, lab: driver, ...given }: GivenLabOptions & { name?: string; lab: string }) => {
      if (name !== undefined) checkFree(name);
      // Whoever makes a lab takes it down on the way out, which a signal alone would not let it.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => process.exit(exitCode.interrupted));
      const { Lab } = await import('../lab/lab.js');
      const opened = await Lab.open(await loadDriver(driver, { ...labOptions(given), mayBeKept: true, remark }));
      try {
        await opened.configure(plan);
        const kept = await writeKept({ ...(await opened.keep()), name, driver, kernel: opened.kernel });
        say(`lab ${kept.name} is running`, ...columns(nodeRows()), '', ...nextSteps(kept.name));
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
