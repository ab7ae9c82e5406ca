/** A guest's serial console: kept as evidence, and read for what its kernel complains about. */
import type { Socket } from 'node:net';
import { Changes } from '../../core/wait.js';
import type { KernelComplaint } from '../driver.js';

/** lib/bug.c, kernel/panic.c, mm/kasan/report.c, lib/ubsan.c, kernel/locking/lockdep.c, mm/kfence, net/core/dev.c and others. */
const defects =
  /^(?:------------\[ cut here|WARNING: (?:CPU|possible|suspicious|inconsistent|bad|.+ at .+)|BUG: (?!soft lockup|workqueue lockup)|kernel BUG at|Oops\b|general protection fault|Kernel panic|UBSAN: |KASAN: |BUG KFENCE|unregister_netdevice: waiting for|refcount_t: |list_(?:add|del) corruption)/;
/** kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/hung_task.c. */
const stalls = /^(?:watchdog: )?(?:BUG: (?:soft|workqueue) lockup|rcu: INFO: rcu_|INFO: (?:task .+ blocked|rcu_))/;

/** What a line of a kernel's log complains about; undefined for all others, "cut here" too: the next line says more. */
export function complaintIn(logLine: string): Omit<KernelComplaint, 'machine'> | undefined {
  const stamped = /^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? (.*)$/.exec(logLine);
  const line = stamped?.[1];
  if (line === undefined || line.startsWith('------------[ cut here')) return undefined;
  if (stalls.test(line)) return { line, kind: 'stall' };
  return defects.test(line) ? { line, kind: 'defect' } : undefined;
}

/** Characters of the beginning and of the end that are kept of a console that has said more than {@link most}. */
const part = 2 ** 20;
/** Characters that are kept whole: a guest that boots says 60,000, and one whose kernel complains without end as much as it can. */
const most = 4 * part;
/** Characters of a line that are looked at. */
const longestLine = 16_384;

export class Console {
  readonly changes = new Changes();
  /** What its kernel has complained about. */
  readonly complaints: KernelComplaint[] = [];
  readonly #machine: string;
  readonly #heard: KernelComplaint[];
  #beginning = '';
  #leftOut = 0;
  #text = '';
  #line = '';
  #phase = 'the firmware';

  /** @param heard complaints of all machines of a lab, in order: those of this one are added */
  constructor(machine: string, socket: Socket, heard: KernelComplaint[] = []) {
    this.#machine = machine;
    this.#heard = heard;
    socket.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk.replaceAll('\r', '')));
    socket.on('error', () => undefined);
  }

  /** How far the guest has come: "its kernel", or a phase that its init names on the console. */
  get phase(): string {
    return this.#phase;
  }

  /** All that was printed so far; of very much, the beginning and the end. */
  get text(): string {
    if (this.#leftOut === 0) return this.#text;
    return `${this.#beginning}\n[${this.#leftOut} characters are left out here]\n${this.#text}`;
  }

  /** The last lines. */
  tail(lines = 60): string {
    return this.#text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Says how far the guest has come, where it does not say so itself. */
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
