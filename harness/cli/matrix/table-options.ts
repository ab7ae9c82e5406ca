/** Options of the commands that end with the table of a matrix. */
import { Option, type Command } from 'commander';

export interface TableOptions {
  known?: string;
  baseline?: string;
  updateBaseline?: boolean;
  history?: string;
  reporter: (typeof tableReporters)[number];
}

const tableReporters = ['terminal', 'markdown', 'json'] as const;

/** Adds these options to a command. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--known <file>', 'a file with more known differences and their reasons')
    .option('--baseline <file>', 'compare with an earlier result: exit code 1 only for regressions')
    .option('--update-baseline', 'write the result as the new baseline')
    .option(
      '--history <folder>',
      'compare with the newest result in a folder (unless --baseline is given), and add this one',
    )
    .addOption(new Option('--reporter <name>', 'what to print').choices(tableReporters).default('terminal'));
}
