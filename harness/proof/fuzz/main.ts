/**
 * `npm run fuzz [-- seconds [target...]]`: searches for bytes that a reader of ours cannot handle. It fuzzes all
 * targets, or those whose names contain a given word. It writes each finding to a file. Given the name of that file, it
 * reads the input again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCode, formatError } from '../../core/error.js';
import { runTool, usage } from '../tool.js';
import { bounded } from './bounded.js';
import { fuzz, type Finding } from './fuzz.js';
import { pumped } from './pump.js';
import type { Target } from './target.js';
import { targets } from './targets/targets.js';

/** Folder for inputs that were read incorrectly. */
const folder = 'reports/fuzz';

process.exitCode = await runTool(main);

async function main([first = '60', ...words]: string[]): Promise<number> {
  const seconds = Number(first);
  if (seconds > 0) return fuzzAll(chosen(words), seconds);
  if (!existsSync(first)) throw usage(`"${first}" is no number of seconds, and no file`, usageLine());
  return readAgain(first, chosen(words));
}

function chosen(words: readonly string[]): readonly Target[] {
  for (const word of words)
    if (!targets.some(({ name }) => name.includes(word)))
      throw usage(`no target has "${word}" in its name`, usageLine());
  return targets.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
}

function usageLine(): string {
  const names = targets.map(({ name }) => name).join(', ');
  return `npm run fuzz -- [SECONDS | FILE] [TARGET…]; targets: ${names}`;
}

async function fuzzAll(list: readonly Target[], seconds: number): Promise<number> {
  let exit: number = exitCode.ok;
  const seed = Math.floor(Math.random() * 2 ** 31);
  say(`${list.length} targets, ${seconds} s in all, seed ${seed}`);
  for (const target of list) {
    const { finding, ...result } = await fuzz(target, { seed, duration: (seconds * 1000) / list.length });
    const { inputs, corpus, blocks, slowest } = result;
    say(`${target.name}: ${inputs} inputs, ${corpus} kept, ${blocks} blocks, the slowest ${slowest.toFixed(1)} ms`);
    const found = finding ?? (await tooSlow(target));
    if (!found) continue;
    tell(target, found, seed);
    exit = exitCode.failed;
  }
  return exit;
}

/** Finds a long input that takes too long. */
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
}

async function readAgain(file: string, list: readonly Target[]): Promise<number> {
  let exit: number = exitCode.ok;
  const input = readFileSync(file);
  for (const target of list) {
    try {
      say(`${target.name}: read in ${(await bounded(target)(input)).toFixed(1)} ms`);
    } catch (error) {
      say(`${target.name}: ${formatError(error)}`);
      exit = exitCode.failed;
    }
  }
  return exit;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
