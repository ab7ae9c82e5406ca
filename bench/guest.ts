/** From nothing to the first command in a guest, beside the same kernel with a bare busybox in plain QEMU. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../harness/core/wait.js';
import { resolveKernel } from '../harness/kernel/resolve.js';
import { knownAcceleration } from '../harness/lab/vm/acceleration.js';
import { topology } from '../harness/lab/topology.js';
import { cpioArchive } from '../harness/lab/vm/cpio.js';
import { busyboxOf, rootImage } from '../harness/lab/vm/root-image.js';
import type { GuestCount } from '../harness/lab/vm/shapes.js';
import { vmDriver } from '../harness/lab/vm/vm.js';
import { wire } from '../harness/lab/wiring.js';
import { CommandLog } from '../harness/remote/command-log.js';
import { type Figure, ratio } from './figure.js';
import { median, millisecondsOf } from './measure.js';
import { duration, print } from './print.js';

const rounds = 5;
/** How many times as long as bare busybox one guest may take to its first command. */
const aim = 2;
/** How many times as long as one guest three may take, where each has a processor. */
const aimOfThree = 1.5;
/** Names a kernel other than the default one, as `--kernel` does. */
const kernelSpec = process.env['MACVLAB_BENCH_KERNEL'];
/** Milliseconds for any of them to come up, on the slowest machine. */
const deadline = 120_000;

/** Milliseconds from the start. */
interface Times {
  /** Until the first command on each guest has ended. */
  first: number;
  /** Until the lab is whole. */
  whole: number;
  /** Until the guest's init named a phase on the console, by the kernel's own clock; of the first guest. */
  phases: ReadonlyMap<string, number>;
}

/** Both ratios; prints where a guest's time goes. */
export async function benchGuest(): Promise<Figure[]> {
  const options = (guests: GuestCount) => ({ guests, ...(kernelSpec !== undefined && { kernel: kernelSpec }) });
  const drivers = { one: vmDriver(options(1)), three: vmDriver(options(3)) };
  const prepared = await drivers.one.prepare?.();
  await drivers.three.prepare?.();
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  try {
    const argv = await bareQemu(folder);
    const bare: number[] = [];
    const one: Times[] = [];
    const three: Times[] = [];
    await bootBare(argv);
    for (let round = 0; round < rounds; round++) {
      bare.push(await millisecondsOf(() => bootBare(argv)));
      one.push(await boot(drivers.one));
      three.push(await boot(drivers.three));
    }
    print(
      `guest: ${prepared?.['kernel']} with ${prepared?.['acceleration']}; medians of ${rounds} rounds, turn by turn`,
    );
    return report(bare, one, three);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The command line that one would type for a kernel and an initramfs with nothing but busybox. */
async function bareQemu(folder: string): Promise<string[]> {
  const { image } = await resolveKernel(kernelSpec);
  const initramfs = path.join(folder, 'bare.cpio');
  await writeFile(initramfs, bareInitramfs(readFileSync(busyboxOf(await rootImage()))));
  return [
    'qemu-system-x86_64',
    ...['-machine', `q35,accel=${knownAcceleration()?.kind ?? 'tcg'}`, '-m', '256', '-nodefaults'],
    ...['-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', image, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=-1'],
  ];
}

const bareWords = 'bare busybox is up';

function bareInitramfs(busybox: Buffer): Buffer {
  const init = `#!/bin/busybox sh\n/bin/busybox echo "${bareWords}"\n/bin/busybox poweroff -f\n`;
  return cpioArchive([
    { name: 'bin', folder: true },
    { name: 'dev', folder: true },
    { name: 'dev/console', device: [5, 1] },
    { name: 'bin/busybox', content: busybox, executable: true },
    { name: 'init', content: init, executable: true },
  ]);
}

/** Until its init has spoken; its end is not awaited. */
async function bootBare([program = '', ...rest]: readonly string[]): Promise<void> {
  const qemu = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await within(heard(qemu.stdout), { what: 'bare busybox to come up', deadline });
  } finally {
    qemu.kill('SIGKILL');
  }
}

async function heard(console: NodeJS.ReadableStream): Promise<void> {
  for await (const line of createInterface(console)) if (line.includes(bareWords)) return;
  throw new Error('QEMU ended before its init had spoken');
}

async function boot(driver: ReturnType<typeof vmDriver>): Promise<Times> {
  const began = performance.now();
  let first = NaN;
  const machines = await driver.open(topology, async (hosts) => {
    await Promise.all(hosts.map(({ session }) => session.run(['true'])));
    first = performance.now() - began;
    await wire(hosts, topology, new CommandLog());
  });
  const whole = performance.now() - began;
  const [console = ''] = machines.kernelLog?.text().values() ?? [];
  await machines.close();
  return { first, whole, phases: phasesIn(console) };
}

function phasesIn(console: string): Map<string, number> {
  const lines = console.matchAll(/^macvlab: (\S+) ([\d.]+)$/gm);
  return new Map([...lines].map(([, name = '', seconds]) => [name, Number(seconds) * 1000]));
}

function report(bare: number[], one: readonly Times[], three: readonly Times[]): Figure[] {
  const of = (times: readonly Times[], what: 'first' | 'whole') => times.map((each) => each[what]);
  const middle = (times: readonly Times[], what: 'first' | 'whole') => duration(median(of(times, what)));
  print(`  bare busybox ${duration(median(bare))}, one ${middle(one, 'first')}, three ${middle(three, 'first')}`);
  print(`  the whole lab: one ${middle(one, 'whole')}, three ${middle(three, 'whole')}`);
  const names = [...(one[0]?.phases.keys() ?? [])];
  const phases = names.map((name) => `${name} ${duration(median(one.map(({ phases }) => phases.get(name) ?? NaN)))}`);
  print(`  one guest’s phases by its kernel’s clock: ${phases.join(', ')}`);
  // three guests at once need a processor each
  const threeAim = availableParallelism() < 3 ? undefined : aimOfThree;
  return [
    ratio('one guest, to its first command: times bare busybox', of(one, 'first'), bare, { better: 'smaller', aim }),
    ratio('three guests, to the first command: times one', of(three, 'first'), of(one, 'first'), {
      ...{ better: 'smaller', aim: threeAim },
    }),
    ratio('one guest, the whole lab: times bare busybox', of(one, 'whole'), bare, { better: 'smaller' }),
    ratio('three guests, the whole lab: times one', of(three, 'whole'), of(one, 'whole'), { better: 'smaller' }),
  ];
}
