/** Options that say what a lab is to be made of, alike for every command that makes one. */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { LabOptions } from '../lab/drivers.js';
import { inventoryFileName } from '../lab/inventory/inventory-file-name.js';
import { type GuestCount, guestCounts } from '../lab/vm/shapes.js';

/** Options as commander gives them: absent where the command line does not say. */
export interface GivenLabOptions {
  kernel?: string;
  modules?: string;
  guests?: GuestCount;
  image?: string;
  privileged?: boolean;
  inventory?: string;
}

/** Of what `--inventory` says in help. */
export const inventoryHelp = `for real hosts: the file that names them (default: ${inventoryFileName})`;

/** Adds them to a command. */
export function addLabOptions(command: Command): Command {
  return command
    .option('--kernel <kernel>', 'for guests: a version (6.12), a release, a suite, a bzImage or a kernel build tree')
    .option('--modules <folder>', 'modules of a kernel of your own')
    .option('--guests <number>', `guests that the nodes are spread over: ${guestCounts.join(' or ')}`, guestCount)
    .option('--image <name>', 'for containers: an image of your own, with the programs that nodes need')
    .option('--privileged', 'for containers: all rights that their engine has, not only the few that are needed')
    .option('--inventory <file>', inventoryHelp);
}

function guestCount(value: string): GuestCount {
  const count = guestCounts.find((each) => String(each) === value);
  if (count !== undefined) return count;
  throw new InvalidArgumentError(`Give ${guestCounts.join(' or ')}.`);
}

/** What of a command's options is about the lab itself. */
export function labOptions({ kernel, modules, guests, image, privileged, inventory }: GivenLabOptions): LabOptions {
  return {
    ...(kernel !== undefined && { kernel }),
    ...(modules !== undefined && { modules: resolve(modules) }),
    ...(guests !== undefined && { guests }),
    ...(image !== undefined && { image }),
    ...(privileged !== undefined && { privileged }),
    ...(inventory !== undefined && { inventory }),
  };
}
