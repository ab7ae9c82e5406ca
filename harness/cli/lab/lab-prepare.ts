/** `macvlab lab prepare`: prepares in advance everything that the first lab of a kind would wait for. */
import { Option, type Command } from 'commander';
import { driverNames, loadDriver } from '../../machine/drivers.js';
import { type ChosenOptions, chosenOptions } from '../../machine/options.js';
import { addLabOptions } from '../lab-options.js';
import { notice, print } from '../output.js';
import { columns } from '../../report/width.js';

const examples = `
For guests: a kernel from Debian's archive, the root image, and a check whether guests run with KVM here. Files in the cache are
used unchanged. A run does all of this itself if necessary.

For containers: the image, which is built and loaded into the container engine.

With --engines: the programs of docker, podman and the CNI plugins, which are unpacked for labs and never installed.
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
    .description('fetch and build the images of guests or containers before a run')
    .addOption(new Option('--lab <name>', 'which lab').choices(driverNames).default('vm'))
    .option('--images', 'only fetch and build; do not test whether guests run here')
    .option('--engines', 'fetch and unpack container engines instead, for all labs');
  addLabOptions(command)
    .addHelpText('after', examples)
    .action(async ({ lab: name, engines, images, ...given }: ChosenOptions & PrepareOptions) => {
      if (engines) {
        print('container engines are prepared', `  ${await prepareEngines()}`);
        return;
      }
      if (images && name === 'vm') {
        const { guestImages } = await import('../../image/images.js');
        await guestImages({ guests: 1, ...chosenOptions(given), remark: notice });
        print('the images of guests are built');
        return;
      }
      const driver = await loadDriver(name, { ...chosenOptions(given), remark: notice });
      const prepared = await driver.prepare?.();
      if (!prepared) {
        print(`the ${name} lab needs no preparation`);
        return;
      }
      print(`the ${name} lab is prepared`, ...columns(Object.entries(prepared).map(([what, is]) => [`  ${what}`, is])));
    });
}

interface PrepareOptions {
  lab: string;
  engines?: true;
  images?: true;
}

async function prepareEngines(): Promise<string> {
  const { engineTree } = await import('../../image/engine-tree.js');
  return engineTree({ onProgress: notice });
}
