/** The experiments of articles A1 and A4 with their evidence, compared with the articles' own commands as a shell script. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import { type Figure, ratio } from './figure.js';
import { median, millisecondsOf } from './measure.js';
import { duration, print } from './print.js';
import { runScript } from './script.js';

/** How many times faster than the script macvlab should be. */
const aim = 40;
/** Runs of macvlab: half of them before the script and half after it. The script's waiting for losses varies little. */
const runs = 4;

/** What to run: all, or all except the long table A1.5, for which the script waits several minutes. */
const choices = {
  whole: { filters: ['A1', 'A4'], script: [], name: 'articles A1 and A4' },
  short: {
    filters: ['A1.1', 'A1.2', 'A1.3', 'A1.4', 'A1.6', 'A1.7', 'A4'],
    script: ['without-table'],
    name: 'articles A1 and A4 without A1.5',
  },
} as const;
const commandLine = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));

/** How many times faster macvlab is. */
export async function benchArticles(choice: keyof typeof choices): Promise<Figure[]> {
  const { filters, script: words, name } = choices[choice];
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  const times: number[] = [];
  const several = async () => {
    for (let run = 0; run < runs / 2; run++) times.push(await millisecondsOf(() => macvlab(filters, folder)));
  };
  try {
    await several();
    let output = '';
    const script = await millisecondsOf(async () => (output = await runScript('articles.sh', words)));
    await several();
    print(`articles: macvlab ${duration(median(times))}, script ${duration(script)}`);
    print(`  the script by its parts: ${partsOf(output).join(', ')}`);
    print(`  macvlab as a whole process with all evidence, ${runs} runs, half before the script, half after`);
    const scripts = times.map(() => script);
    return [ratio(`${name}: times as fast as the articles' commands`, scripts, times, { better: 'greater', aim })];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws ProcessOutput when an experiment does not pass */
async function macvlab(filters: readonly string[], folder: string): Promise<void> {
  await $({ quiet: true })`${process.execPath} ${commandLine} run ${filters} --out ${folder}`;
}

/** The parts of the script with their times, as it printed them. */
function partsOf(output: string): string[] {
  return [...output.matchAll(/^part (\S+) (\d+)$/gm)].map(([, name = '', time]) => `${name} ${duration(Number(time))}`);
}
