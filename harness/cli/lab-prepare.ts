/** `macvlab lab prepare`: does beforehand what the first lab of a kind would have to wait for. */
import { Option, type Command } from 'commander';
import { driverNames, loadDriver } from '../lab/drivers.js';
import { addLabOptions, type GivenLabOptions, labOptions } from './lab-options.js';
import { columns, remark, say } from './output.js';

const examples = `
For guests, that is a kernel from Debian's archive, their root image, and the answer to whether they run with KVM here. What
is in the cache already is used as it is; a run does all of this by itself when it is missing.

For containers, it is the image, which is made and given to the container engine.

With --engines, it is the programs of docker, podman and the CNI plugins, which are unpacked for labs and never installed.
Without them, experiments with container engines are skipped.

Examples:
  macvlab lab prepare
  macvlab lab prepare --kernel 5.10
  macvlab lab prepare --lab container
  macvlab lab prepare --engines`;

/** Adds the command. */
export function addLabPrepare(lab: Command): void {
  const command = lab
    .command('prepare')
    .description('fetch and build what guests boot from, or the containers’ image, so that a run need not')
    .addOption(new Option('--lab <name>', 'which lab').choices(driverNames).default('vm'))
    .option('--images', 'only fetch and build; do not try whether guests run here')
    .option('--engines', 'fetch and unpack container engines instead, for all labs');
  addLabOptions(command)
    .addHelpText('after', examples)
    .action(async ({ lab: name, engines, images, ...given }: GivenLabOptions & PrepareOptions) => {
      if (engines) {
        say('container engines are prepared', `  ${await prepareEngines()}`);
        return;
      }
      if (images && name === 'vm') {
        const { guestImages } = await import('../lab/vm/images.js');
        await guestImages({ guests: 1, ...labOptions(given), remark });
        say('the images of guests are made');
        return;
      }
      const driver = await loadDriver(name, { ...labOptions(given), remark });
      const prepared = await driver.prepare?.();
      if (!prepared) {
        say(`the ${name} lab needs no preparation`);
        return;
      }
      say(`the ${name} lab is prepared`, ...columns(Object.entries(prepared).map(([what, is]) => [`  ${what}`, is])));
    });
}

interface PrepareOptions {
  lab: string;
  engines?: true;
  images?: true;
}

async function prepareEngines(): Promise<string> {
  const { engineTree } = await import('../lab/engine-tree.js');
  return engineTree({ onProgress: remark });
}
