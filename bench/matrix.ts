/** Runs a matrix over four kernels, with one guest at a time and in parallel, and measures the harness's share of the work. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import { findLatestMatrix, readMatrix } from '../harness/matrix/folder.js';
import { recordsOf } from '../harness/matrix/plan/todo.js';
import { type Figure, ratio } from './figure.js';
import { millisecondsOf } from './measure.js';
import { duration, print } from './print.js';

/** The share of each core that parallel guests should use, and the harness's processor time, divided by that of its guests. */
const aims = { efficiency: 0.9, harness: 0.05 };
const kernels = '5.10,6.1,6.12,6.18';
const filters = ['A0', 'A1', 'A3', 'A4'];
const commandLine = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));
const cpuUsage = new URL('./cpu-usage.js', import.meta.url).href;

interface Taken {
  wall: number;
  /** Milliseconds of processor time of the harness's own processes, and of the guests. */
  harness: number;
  guests: number;
  /** Milliseconds of all experiments together. */
  experiments: number;
  passed: number;
  performed: number;
}

/** The speed-up by parallel guests, and the harness's share of the work. Takes minutes. */
export async function benchMatrix(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  const cores = availableParallelism();
  try {
    // Once without measurement: to download kernels and create images.
    await take(folder, 1, ['A0.1']);
    const alone = await take(folder, 1, filters);
    const together = await take(folder, cores, filters);
    print(`matrix: ${words(alone, 1)}; ${words(together, cores)}`);
    print(`  processor time: harness ${duration(alone.harness)}, guests ${duration(alone.guests)}`);
    return [
      ratio(`four kernels, ${cores} guests at once: times as fast as one`, [alone.wall], [together.wall], {
        ...{ better: 'greater', aim: aims.efficiency * cores },
      }),
      ratio('processor time of the harness: times that of its guests', [alone.harness], [alone.guests], {
        ...{ better: 'smaller', aim: aims.harness },
      }),
      ratio('experiments: share of the wall time with one guest', [alone.experiments], [alone.wall], {
        better: 'greater',
      }),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function take(folder: string, jobs: number, chosen: readonly string[]): Promise<Taken> {
  const out = await mkdtemp(path.join(folder, 'out-'));
  const cpuFile = path.join(out, 'cpu');
  const env = { ...process.env, NODE_OPTIONS: `--import ${cpuUsage}`, MACVLAB_BENCH_CPU: cpuFile };
  const argv = [commandLine, 'matrix', '--kernels', kernels, '--jobs', jobs, '--out', out, ...chosen];
  const before = childrenCpu();
  const wall = await millisecondsOf(() => $({ quiet: true, nothrow: true, env })`${process.execPath} ${argv}`);
  const harness = sum(readFileSync(cpuFile, 'utf8').trim().split('\n').map(Number));
  const results = await readMatrix(findLatestMatrix(out));
  const records = results.kernels.flatMap((kernel) => [...recordsOf(kernel).values()]).map(({ record }) => record);
  return {
    ...{ wall, harness, guests: childrenCpu() - before - harness },
    experiments: sum(records.map(({ durationMs }) => durationMs)),
    passed: records.filter(({ verdict }) => verdict === 'passed').length,
    performed: records.length,
  };
}

/** Milliseconds of processor time of all ended children and theirs (proc(5), /proc/PID/stat: cutime and cstime, in ticks of 10 ms). */
function childrenCpu(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

function words({ wall, passed, performed }: Taken, jobs: number): string {
  return `--jobs ${jobs}: ${duration(wall)}, ${passed} of ${performed} passed`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
