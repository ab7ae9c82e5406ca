/** The experiments of articles A1 and A4 with their evidence, beside the articles' own commands as a shell script. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import { median, millisecondsOf } from './measure.js';
import { aimed, duration, print } from './print.js';
import { runScript } from './script.js';

/** How many times faster than the script macvlab shall be. */
const aim = 40;
/** Runs of macvlab: half of them before the script and half after it. The script's waiting for losses varies little. */
const runs = 4;

const all = ['A1', 'A4'];
const withoutTable = ['A1.1', 'A1.2', 'A1.3', 'A1.4', 'A1.6', 'A1.7', 'A4'];
const commandLine = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));

/** Prints how many times faster macvlab is, with and without the long table A1.5. */
export async function benchArticles(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  const whole: number[] = [];
  const shorter: number[] = [];
  const several = async () => {
    for (let run = 0; run < runs / 2; run++) {
      whole.push(await millisecondsOf(() => macvlab(all, folder)));
      shorter.push(await millisecondsOf(() => macvlab(withoutTable, folder)));
    }
  };
  try {
    await several();
    let output = '';
    const script = await millisecondsOf(async () => (output = await runScript('articles.sh')));
    await several();
    const parts = partsOf(output);
    const table = parts.get('A1.5') ?? NaN;
    report('articles', script, median(whole));
    report('articles without A1.5', script - table, median(shorter));
    print(
      `  the script once, by its parts: ${[...parts].map(([name, time]) => `${name} ${duration(time)}`).join(', ')}`,
    );
    print(
      `  macvlab as a whole process with all evidence, medians of ${runs} runs, half before the script, half after`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws ProcessOutput when an experiment does not pass */
async function macvlab(filters: readonly string[], folder: string): Promise<void> {
  await $({ quiet: true })`${process.execPath} ${commandLine} run ${filters} --out ${folder}`;
}

/** Milliseconds of each part, as the script took them. */
function partsOf(output: string): Map<string, number> {
  return new Map([...output.matchAll(/^part (\S+) (\d+)$/gm)].map(([, name = '', time]) => [name, Number(time)]));
}

function report(name: string, script: number, macvlab: number): void {
  const ratio = script / macvlab;
  print(`${name}: ${ratio.toFixed(1)} times faster than the bash script ${aimed(`${aim}`, ratio >= aim)}`);
  print(`  macvlab ${duration(macvlab)}, script ${duration(script)}`);
}
