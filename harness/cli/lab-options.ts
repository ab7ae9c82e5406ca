/** The lab options of the command line, the same for every command that creates a lab. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type LabOption, sharedOptions } from '../machine/options.js';

/** Adds options to a command, by default those that all commands share. */
export function addLabOptions(command: Command, rows: Readonly<Record<string, LabOption>> = sharedOptions): Command {
  for (const row of Object.values(rows)) command.addOption(labOption(row));
  return command;
}

/** One option, for commander. */
export function labOption({ flag, help, schema, allowed }: LabOption): Option {
  const option = new Option(flag, help);
  if (option.isBoolean()) return option;
  return option.argParser((value) => {
    const read = [value, Number(value)].map((each) => schema.safeParse(each)).find(({ success }) => success);
    if (read) return read.data;
    throw new InvalidArgumentError(`Allowed: ${allowed}.`);
  });
}
