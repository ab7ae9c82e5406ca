/**
 * The start of a guest until its first command, by booting and by resuming, compared with the same kernel and a minimal
 * busybox in plain QEMU.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../harness/core/wait.js';
import { resolveKernel } from '../harness/kernel/resolve.js';
import { knownAcceleration } from '../harness/machine/qemu/acceleration.js';
import { topology } from '../harness/machine/topology.js';
import { cpioArchive } from '../harness/image/cpio.js';
import { busyboxOf, rootImage } from '../harness/image/root-image.js';
import type { GuestCount } from '../harness/machine/vm/shapes.js';
import { vmDriver } from '../harness/machine/vm/vm.js';
import { wire } from '../harness/lab/wiring.js';
import { CommandLog } from '../harness/remote/command-log.js';
import { type Figure, ratio } from './figure.js';
import { median, millisecondsOf } from './measure.js';
import { duration, print } from './print.js';

const rounds = 5;
/** The maximum time of one guest until its first command, divided by that of busybox. */
const aim = 2;
/** The maximum time of three guests, divided by that of one, where each has a processor. */
const aimOfThree = 1.5;
/** The maximum milliseconds of a guest that resumes, until its first command and until the lab is complete. */
const aimsOfResume = { first: 2000, whole: 4000 } as const;
/** Names a kernel other than the default one, as `--kernel` does. */
const kernelSpec = process.env['MACVLAB_BENCH_KERNEL'];
/** Milliseconds for any of them to boot, on the slowest machine. */
const deadline = 120_000;

/** Milliseconds from the start. */
interface Times {
  /** Until the first command on each guest has ended. */
  first: number;
  /** Until the lab is complete. */
  whole: number;
  /** Until the guest's init printed a phase on the console, by the kernel's own clock; of the first guest. */
  phases: ReadonlyMap<string, number>;
}

/** All ratios; prints the times of a guest's phases. */
export async function benchGuest(): Promise<Figure[]> {
  const options = (guests: GuestCount) => ({ guests, ...(kernelSpec !== undefined && { kernel: kernelSpec }) });
  const booting = (guests: GuestCount) => vmDriver({ ...options(guests), boot: true });
  const drivers = { one: booting(1), three: booting(3), resumed: vmDriver(options(1)) };
  const prepared = await drivers.one.prepare?.();
  await drivers.three.prepare?.();
  await drivers.resumed.prepare?.();
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  try {
    const argv = await bareQemu(folder);
    const bare: number[] = [];
    const one: Times[] = [];
    const three: Times[] = [];
    const resumed: Times[] = [];
    await bootBare(argv);
    // The first one saves the state.
    await start(drivers.resumed);
    for (let round = 0; round < rounds; round++) {
      bare.push(await millisecondsOf(() => bootBare(argv)));
      one.push(await start(drivers.one));
      resumed.push(await start(drivers.resumed));
      three.push(await start(drivers.three));
    }
    print(
      `guest: ${prepared?.['kernel']} with ${prepared?.['acceleration']}; medians of ${rounds} rounds, turn by turn`,
    );
    return report(bare, one, three, resumed);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The command line that a user would type for a kernel and an initramfs with only busybox. */
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

/** Until its init has printed its line; does not wait for its end. */
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

async function start(driver: ReturnType<typeof vmDriver>): Promise<Times> {
  const began = performance.now();
  let first = NaN;
  const machines = await driver.open(topology, async (hosts) => {
    await Promise.all(hosts.map(({ session }) => session.run(['true'])));
    first = performance.now() - began;
    await wire(hosts, topology, new CommandLog());
  });
  const whole = performance.now() - began;
  const [console = ''] = machines.kernelLog.text().values();
  await machines.close();
  return { first, whole, phases: phasesIn(console) };
}

function phasesIn(console: string): Map<string, number> {
  const lines = console.matchAll(/^macvlab: (\S+) ([\d.]+)$/gm);
  return new Map([...lines].map(([, name = '', seconds]) => [name, Number(seconds) * 1000]));
}

function report(
  bare: readonly number[],
  one: readonly Times[],
  three: readonly Times[],
  resumed: readonly Times[],
): Figure[] {
  const of = (times: readonly Times[], what: 'first' | 'whole') => times.map((each) => each[what]);
  const middle = (times: readonly Times[], what: 'first' | 'whole') => duration(median(of(times, what)));
  print(`  bare busybox ${duration(median(bare))}, one ${middle(one, 'first')}, three ${middle(three, 'first')}`);
  print(`  the whole lab: one ${middle(one, 'whole')}, three ${middle(three, 'whole')}`);
  if (knownAcceleration()?.kind === 'tcg') printResume(resumed, one);
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
    ratio('one guest that resumes, to its first command: times booting', of(resumed, 'first'), of(one, 'first'), {
      better: 'smaller',
    }),
    ratio('one guest that resumes, the whole lab: times booting', of(resumed, 'whole'), of(one, 'whole'), {
      better: 'smaller',
    }),
  ];
}

/** Prints both times of a guest that resumes, with the aims. */
function printResume(resumed: readonly Times[], booted: readonly Times[]): void {
  for (const what of ['first', 'whole'] as const) {
    const [time = NaN, before = NaN] = [resumed, booted].map((times) => median(times.map((each) => each[what])));
    const aimed = `aim: ${duration(aimsOfResume[what])}${time <= aimsOfResume[what] ? '' : ', missed'}`;
    const until = what === 'first' ? 'first command' : 'whole lab';
    print(`  one guest, ${until}: resumed ${duration(time)}, booted ${duration(before)} (${aimed})`);
  }
}
