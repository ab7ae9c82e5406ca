/**
 * The options of labs, one row each. The command line, its help, the configuration file and the error messages about
 * unsupported options are made from this table.
 */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import { inventoryFileName } from './inventory/file/inventory-file-name.js';
import { guestCounts } from './vm/shapes.js';

/** An option of labs. */
export interface LabOption<T = unknown> {
  /** The option on the command line, with the name of its value. */
  flag: string;
  /** The text in the help. */
  help: string;
  schema: z.ZodType<T>;
  /** The allowed values, as an error message shows them. */
  allowed: string;
  /** Whether a value is a path, which the configuration file gives relative to its own folder. */
  isPath?(value: T): boolean;
  /** The labs that have it. If the user names no lab, the option selects the first of them. */
  drivers: readonly [string, ...string[]];
  /** Why another lab does not have it. */
  why: (lab: string) => string;
}

const path = z.string().min(1);
const useOfKernel = (lab: string) => `it uses ${lab === 'inventory' ? 'its hosts’ kernels' : 'the running kernel'}`;
const noContainers = () => 'it has no containers';
const noHosts = () => 'it has no hosts of an inventory';

function option<T>(row: LabOption<T>): LabOption<T> {
  return row;
}

/** Options of every command that creates a lab, in the order of help, by their names in the configuration file. */
export const sharedOptions = {
  kernel: option({
    flag: '--kernel <kernel>',
    help: 'for guests: a version (6.12), a release, a suite, a bzImage or a kernel build tree',
    schema: path,
    allowed: 'a version, a release, a suite, or the path of a kernel of your own',
    isPath: (value) => value.includes('/'),
    drivers: ['vm', 'vagrant'],
    why: useOfKernel,
  }),
  modules: option({
    flag: '--modules <folder>',
    help: 'modules of your own kernel',
    schema: path,
    allowed: 'a folder, relative to this file',
    isPath: () => true,
    drivers: ['vm', 'vagrant'],
    why: useOfKernel,
  }),
  guests: option({
    flag: '--guests <number>',
    help: `number of guests for the nodes: ${guestCounts.join(' or ')}`,
    schema: z.literal(guestCounts),
    allowed: guestCounts.join(', '),
    drivers: ['vm'],
    why: (lab) => (lab === 'vagrant' ? 'it has three machines' : 'it has no guests'),
  }),
  boot: option({
    flag: '--boot',
    help: 'for guests: boot each guest, and use no saved state',
    schema: z.boolean(),
    allowed: 'true, false',
    drivers: ['vm'],
    why: (lab) => (lab === 'vagrant' ? 'its machines always boot' : 'it has no guests'),
  }),
  image: option({
    flag: '--image <name>',
    help: 'for containers: your own image, with the programs that nodes need',
    schema: path,
    allowed: 'the name of a container image',
    drivers: ['container'],
    why: noContainers,
  }),
  privileged: option({
    flag: '--privileged',
    help: 'for containers: all rights of the engine, not only the necessary ones',
    schema: z.boolean(),
    allowed: 'true, false',
    drivers: ['container'],
    why: noContainers,
  }),
  inventory: option({
    flag: '--inventory <file>',
    help: `for real hosts: the file that names them (default: ${inventoryFileName})`,
    schema: path,
    allowed: 'a file, relative to this one',
    isPath: () => true,
    drivers: ['inventory'],
    why: noHosts,
  }),
};

/** Options of `run` only: no other command has them, and the configuration file cannot set them. */
export const optionsOfRun = {
  allowDisconnect: option({
    flag: '--allow-disconnect',
    help: 'for real hosts: experiments may interrupt the SSH connection; the host itself restores it',
    schema: z.boolean(),
    allowed: 'true, false',
    drivers: ['inventory'],
    why: noHosts,
  }),
};

const labOptions = { ...sharedOptions, ...optionsOfRun };
type LabOptionName = keyof typeof labOptions;

/** All options by their names; the type of a value is unknown here. */
const labOptionRows = Object.entries(labOptions) as [LabOptionName, LabOption][];

/** The options that the user chooses for a lab. */
export type ChosenOptions = { [Name in LabOptionName]?: z.infer<(typeof labOptions)[Name]['schema']> };

/** All options of a lab. */
export interface LabOptions extends ChosenOptions {
  /** Whether the lab may be left running (a detached lab). */
  mayBeDetached?: boolean;
  /** Called with a line about each slow step before a lab is up. */
  remark?: (line: string) => void;
}

/** The options of labs among those of a command. */
export function chosenOptions(given: ChosenOptions): ChosenOptions {
  const chosen = labOptionRows.filter(([name]) => given[name] !== undefined).map(([name]) => [name, given[name]]);
  return Object.fromEntries(chosen) as ChosenOptions;
}

/** The rows of the given options; a flag that is false counts as not given. */
function givenRows(options: ChosenOptions): LabOption[] {
  return labOptionRows.filter(([name]) => options[name] !== undefined && options[name] !== false).map(([, row]) => row);
}

/** The lab of the first given option; undefined if none is given. */
export function labOfOptions(options: ChosenOptions): string | undefined {
  return givenRows(options)[0]?.drivers[0];
}

/** Refuses options that a lab does not have. @throws MacvlabError USAGE naming the labs that have them */
export function refuseOthersOptions(lab: string, options: ChosenOptions): void {
  const wrong = givenRows(options).find(({ drivers }) => !drivers.includes(lab));
  if (!wrong) return;
  const flag = wrong.flag.replace(/ .*/, '');
  throw new MacvlabError('USAGE', `the ${lab} lab does not have the option ${flag}: ${wrong.why(lab)}`, {
    next: `leave it out, or choose a lab that has it: ${wrong.drivers.map((name) => `--lab ${name}`).join(', ')}`,
  });
}
