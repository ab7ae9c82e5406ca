/** Stores the figures of a run in a file, and compares two such files. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../harness/core/error.js';
import { asJson, writeWhole } from '../harness/core/report-files.js';
import { type Figure, short } from './figure.js';
import { print } from './print.js';

const figure = z.object({
  name: z.string(),
  value: z.number(),
  range: z.tuple([z.number(), z.number()]),
  better: z.enum(['greater', 'smaller']),
  aim: z.number().optional(),
});

const results = z.object({ machine: z.string(), figures: z.array(figure) });

export interface Results {
  /** Processors, load, kernel and Node, in a line. */
  machine: string;
  figures: Figure[];
}

/** Writes results as JSON. @throws MacvlabError OUT_NOT_WRITABLE */
export function writeResults(file: string, written: Results): void {
  writing(file, () => writeWhole(file, asJson(written)));
}

/** Checks that a file can be written, before a measurement takes minutes. @throws MacvlabError OUT_NOT_WRITABLE */
export function refuseUnwritableFile(file: string): void {
  writing(file, () => accessSync(dirname(resolve(file)), constants.W_OK));
}

function writing(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new MacvlabError('OUT_NOT_WRITABLE', `${file} cannot be written: ${messageOf(error)}`, {
      next: 'name a file in a folder that you may write',
      cause: error,
    });
  }
}

/** Reads the results that {@link writeResults} wrote. @throws MacvlabError USAGE when the file has another content */
export function readResults(file: string): Results {
  try {
    return results.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new MacvlabError('USAGE', `${file} does not hold results of a benchmark`, {
      evidence: messageOf(error),
      next: 'write one with: npm run bench -- --json FILE',
      cause: error,
    });
  }
}

/** How a figure changed: the change counts only where the ranges of the two runs do not overlap. */
export type Change = 'better' | 'worse' | 'same' | 'only before' | 'only after';

/** The comparison of each figure, in the order of the first file; new figures come last. */
export function compare(before: Results, after: Results): { name: string; change: Change; text: string }[] {
  const later = new Map(after.figures.map((each) => [each.name, each]));
  const known = new Set(before.figures.map(({ name }) => name));
  return [
    ...before.figures.map((one) => compareOne(one, later.get(one.name))),
    ...after.figures
      .filter(({ name }) => !known.has(name))
      .map(({ name, value }) => ({ name, change: 'only after' as const, text: short(value) })),
  ];
}

function compareOne(one: Figure, other: Figure | undefined): { name: string; change: Change; text: string } {
  const { name, value, range, better } = one;
  if (other === undefined) return { name, change: 'only before', text: short(value) };
  const percent = `${(100 * (other.value / value - 1)).toFixed(0)} %`;
  const text = `${short(value)} to ${short(other.value)} (${other.value < value ? '' : '+'}${percent})`;
  const overlap = other.range[0] <= range[1] && range[0] <= other.range[1];
  if (overlap) return { name, change: 'same', text };
  return { name, change: other.value > value === (better === 'greater') ? 'better' : 'worse', text };
}

/** Prints a comparison, a line for each figure. */
export function printComparison(before: Results, after: Results): void {
  print(`before: ${before.machine}`);
  print(`after:  ${after.machine}`);
  for (const { name, change, text } of compare(before, after)) print(`${change.padEnd(11)}  ${name}: ${text}`);
  print('same: the ranges of the two runs overlap');
}
