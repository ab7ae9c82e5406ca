/**
 * `npm run fuzz [-- seconds [target...]]`: looks for bytes that a reader of ours does not stand, in all targets or in those whose
 * names contain a word that is given. What it finds is written into a file, and read again by giving that file's name.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { bounded } from './bounded.js';
import { fuzz, type Finding } from './fuzz.js';
import { pumped } from './pump.js';
import type { Target } from './target.js';
import { targets } from './targets/targets.js';

/** Where inputs go that were not read as they should be. */
const folder = 'reports/fuzz';

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = error instanceof MacvlabError ? error.exit : exitCode.lab;
});

async function main([first = '60', ...words]: string[]): Promise<void> {
  const seconds = Number(first);
  if (seconds > 0) return fuzzAll(chosen(words), seconds);
  if (!existsSync(first)) throw usage(`"${first}" is no number of seconds, and no file`);
  await readAgain(first, chosen(words));
}

function chosen(words: readonly string[]): readonly Target[] {
  for (const word of words)
    if (!targets.some(({ name }) => name.includes(word))) throw usage(`no target has "${word}" in its name`);
  return targets.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
}

function usage(message: string): MacvlabError {
  const names = targets.map(({ name }) => name).join(', ');
  return new MacvlabError('USAGE', message, { next: `npm run fuzz -- [SECONDS | FILE] [TARGET…]; targets: ${names}` });
}

async function fuzzAll(list: readonly Target[], seconds: number): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  say(`${list.length} targets, ${seconds} s in all, seed ${seed}`);
  for (const target of list) {
    const { finding, ...result } = await fuzz(target, { seed, duration: (seconds * 1000) / list.length });
    const { inputs, corpus, blocks, slowest } = result;
    say(`${target.name}: ${inputs} inputs, ${corpus} kept, ${blocks} blocks, the slowest ${slowest.toFixed(1)} ms`);
    const found = finding ?? (await tooSlow(target));
    if (found) tell(target, found, seed);
  }
}

/** A long input that takes too long. */
async function tooSlow(target: Target): Promise<Finding | undefined> {
  const read = bounded(target);
  for (const input of pumped(target, 3)) {
    try {
      await read(input);
    } catch (error) {
      return { input, error };
    }
  }
  return undefined;
}

function tell({ name }: Target, { input, error }: Finding, seed: number): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll(/\W+/g, '-')}-${seed}`);
  writeFileSync(file, input);
  say(`  ${formatError(error).replaceAll('\n', '\n  ')}`);
  say(`  again: npm run fuzz -- ${file} ${JSON.stringify(name)}`);
  process.exitCode = 1;
}

async function readAgain(file: string, list: readonly Target[]): Promise<void> {
  const input = readFileSync(file);
  for (const target of list) {
    try {
      say(`${target.name}: read in ${(await bounded(target)(input)).toFixed(1)} ms`);
    } catch (error) {
      say(`${target.name}: ${formatError(error)}`);
      process.exitCode = 1;
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
