/** A guest's serial console: its output is kept as evidence, and searched for kernel splats. */
import type { Socket } from 'node:net';
import { Changes } from '../../core/wait.js';
import type { KernelSplat } from '../driver.js';

/** lib/bug.c, kernel/panic.c, mm/kasan/report.c, lib/ubsan.c, kernel/locking/lockdep.c, mm/kfence, net/core/dev.c and others. */
const defects =
  /^(?:------------\[ cut here|WARNING: (?:CPU|possible|suspicious|inconsistent|bad|.+ at .+)|BUG: (?!soft lockup|workqueue lockup)|kernel BUG at|Oops\b|general protection fault|Kernel panic|UBSAN: |KASAN: |BUG KFENCE|unregister_netdevice: waiting for|refcount_t: |list_(?:add|del) corruption)/;
/** kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/hung_task.c. */
const stalls = /^(?:watchdog: )?(?:BUG: (?:soft|workqueue) lockup|rcu: INFO: rcu_|INFO: (?:task .+ blocked|rcu_))/;

/** The splat in a line of a kernel's log; undefined for all other lines. Also for "cut here", since the next line has the details. */
export function complaintIn(logLine: string): Omit<KernelSplat, 'machine'> | undefined {
  const stamped = /^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? (.*)$/.exec(logLine);
  const line = stamped?.[1];
  if (line === undefined || line.startsWith('------------[ cut here')) return undefined;
  if (stalls.test(line)) return { line, kind: 'stall' };
  return defects.test(line) ? { line, kind: 'defect' } : undefined;
}

/** Characters of the beginning, and of the end, that are kept of an output longer than {@link most}. */
const part = 2 ** 20;
/** The longest output that is kept whole, in characters: a booting guest prints 60,000, but the number of kernel splats has no limit. */
const most = 4 * part;
/** The characters of a line that are searched. */
const longestLine = 16_384;

/** The line between a console's output until the state was saved, and the output since the guest has resumed. */
export const resumedNotice = '[macvlab] the guest has resumed from a saved state; the lines above are from its boot';

export class Console {
  readonly changes = new Changes();
  /** The splats of its kernel. */
  readonly complaints: KernelSplat[] = [];
  readonly #machine: string;
  readonly #heard: KernelSplat[];
  #beginning = '';
  #leftOut = 0;
  #text = '';
  #line = '';
  #phase = 'the firmware';

  /**
   * @param heard splats of all machines of a lab, in order; this console adds its own
   * @param earlier the output until the machine's state was saved, if it continues from a saved state
   */
  constructor(machine: string, socket: Socket, heard: KernelSplat[] = [], earlier?: string) {
    this.#machine = machine;
    this.#heard = heard;
    if (earlier !== undefined) this.#read(`${earlier.trimEnd()}\n${resumedNotice}\n`);
    socket.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk.replaceAll('\r', '')));
    socket.on('error', () => undefined);
  }

  /** The phase of the boot: "its kernel", or a phase that the guest's init prints on the console. */
  get phase(): string {
    return this.#phase;
  }

  /** The output so far; for a very long output, only its beginning and end. */
  get text(): string {
    if (this.#leftOut === 0) return this.#text;
    return `${this.#beginning}\n[${this.#leftOut} characters are left out here]\n${this.#text}`;
  }

  /** The last lines. */
  tail(lines = 60): string {
    return this.#text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Sets the phase, if the guest does not print it. */
  reached(phase: string): void {
    this.#phase = phase;
  }

  #keep(chunk: string): void {
    this.#text += chunk;
    if (this.#text.length <= most) return;
    if (this.#leftOut === 0) {
      this.#beginning = this.#text.slice(0, part);
      this.#text = this.#text.slice(part);
    }
    this.#leftOut += this.#text.length - part;
    this.#text = this.#text.slice(-part);
  }

  #read(chunk: string): void {
    this.#keep(chunk);
    const lines = (this.#line + chunk).split('\n');
    this.#line = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) {
      const phase = /^macvlab: (\S+) [\d.]+$/.exec(line)?.[1];
      if (phase !== undefined) this.#phase = phase;
      else if (this.#phase === 'the firmware' && line.startsWith('[')) this.#phase = 'its kernel';
      const complaint = complaintIn(line);
      if (!complaint) continue;
      for (const list of [this.complaints, this.#heard]) list.push({ machine: this.#machine, ...complaint });
    }
    this.changes.notify();
  }
}
