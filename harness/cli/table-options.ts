/** What becomes of a matrix when it has been performed or merged: its table in files and on the terminal, its baseline and history. */
import type { Command } from 'commander';
import { readMatrix } from '../matrix/folder.js';
import { recordsOf } from '../matrix/todo.js';
import { say } from './output.js';

export interface TableOptions {
  known?: string;
}

export function addTableOptions(command: Command): Command {
  return command.option('--known <file>', 'differences that are known');
}

export async function readTableOptions(options: TableOptions): Promise<TableOptions> {
  return Promise.resolve(options);
}

export async function conclude(folder: string, _: TableOptions): Promise<number> {
  const { kernels } = await readMatrix(folder);
  for (const kernel of kernels) say(`${kernel.kernel.name} ${recordsOf(kernel).size} ${kernel.runs.length}`);
  say(folder);
  return 0;
}
