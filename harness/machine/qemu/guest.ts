/**
 * A guest: a QEMU process with sockets that it inherits. When this process dies for any reason, the kernel ends QEMU
 * (prctl(2), PR_SET_PDEATHSIG). The guest's own init also powers off at the end of its control port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { MacvlabError, messageOf } from '../../core/error.js';
import { poll, timeout, within } from '../../core/wait.js';
import { findProgram } from '../../setup/tools.mjs';
import type { KernelSplat } from '../driver.js';
import { Console } from './console.js';
import { Monitor } from './monitor.js';
import { type QemuPlan, qemuArguments, slowness } from './qemu.js';

export interface GuestOptions extends Omit<QemuPlan, 'console' | 'ports' | 'cards' | 'slots' | 'monitor' | 'incoming'> {
  /** "node1", or "the guest". */
  name: string;
  /** Serial ports besides the control port. */
  ports: readonly string[];
  /** NICs: a MAC address, and the other guest's end of the cable if that guest exists already. */
  cards?: readonly { mac: string; cable?: Socket }[];
  /** Splats of all kernels of the lab, in order; this guest adds its kernel's. */
  complaints?: KernelSplat[];
  /**
   * Socket files for other processes, by the names of their ports. With them, QEMU does not end with this process,
   * because a detached lab needs it.
   */
  slots?: ReadonlyMap<string, string>;
  /** Whether its state can be saved. Then QEMU always ends with this process. */
  savable?: boolean;
  /** The state from which it resumes; without one, it boots. */
  state?: SavedMachine;
}

/** A saved state of a machine. */
export interface SavedMachine {
  /** The file of its memory and devices. */
  file: string;
  /** The output on its console until then. */
  console: string;
}

/** The port through which init receives its commands. */
const controlPort = 'control';
/** Inherited descriptors follow the standard ones. */
const firstDescriptor = 3;
const endDeadline = 5000;
/** Characters that are kept of QEMU's stderr, and of a guest's output on its control port. */
const mostWords = 16_384;

export class Guest {
  readonly name: string;
  /** The factor by which it is slower than a guest with KVM. */
  readonly slowness: number;
  readonly console: Console;
  /** Whether it resumes from a saved state. */
  readonly resumes: boolean;
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #ports: ReadonlyMap<string, Socket>;
  readonly #cables: readonly (Socket | null)[];
  readonly #death = new AbortController();
  readonly #exited: Promise<void>;
  #monitor?: Monitor;
  #qemuWords = '';
  #answer = '';
  #closing = false;

  private constructor(
    { name, accelerator, ports, cards = [], complaints, savable, state }: GuestOptions,
    process: ChildProcess,
  ) {
    this.name = name;
    this.resumes = state !== undefined;
    this.slowness = slowness[accelerator];
    this.#process = process;
    const [control, console, ...others] = process.stdio.slice(firstDescriptor) as (Socket | null)[];
    if (!control || !console) throw new TypeError('spawn has opened no sockets');
    this.#control = control;
    this.console = new Console(name, console, complaints, state?.console);
    this.#ports = new Map(ports.map((port, index) => [port, others[index] as Socket]));
    this.#cables = others.slice(ports.length, ports.length + cards.length);
    // These ends are for another QEMU: this process must not read data from them.
    for (const cable of this.#cables) cable?.pause();
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#qemuWords = (this.#qemuWords + text).slice(-mostWords);
    });
    control.setEncoding('utf8').on('data', (text: string) => {
      this.#answer = (this.#answer + text).slice(-mostWords);
      this.console.changes.notify();
    });
    control.on('error', () => undefined);
    for (const socket of others) socket?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      process.once('error', (error) => {
        this.#qemuWords += messageOf(error);
        resolve();
      });
      // After the exit, when all its output has been read.
      process.once('close', () => resolve());
    });
    void this.#exited.then(() => this.#death.abort(this.#deathCause()));
    this.#death.signal.addEventListener('abort', () => this.console.changes.fail(this.#death.signal.reason));
    const monitor = savable ? others.at(-1) : undefined;
    if (monitor) this.#monitor = new Monitor(monitor, this.#death.signal);
  }

  /** Starts QEMU. {@link boot} detects whether it starts, and how far the guest gets. */
  static start(options: GuestOptions): Guest {
    const { name: _, complaints: __, ports, cards = [], slots, savable = false, state, ...plan } = options;
    const portsFrom = firstDescriptor + 2;
    const cardsFrom = portsFrom + ports.length;
    const behindCards = cardsFrom + cards.length;
    const saved = state && openSync(state.file, 'r');
    const argv = qemuArguments({
      ...plan,
      console: firstDescriptor + 1,
      ports: new Map([
        [controlPort, firstDescriptor],
        ...ports.map((port, index) => [port, portsFrom + index] as const),
      ]),
      ...(slots && { slots }),
      cards: cards.map(({ mac }, index) => ({ mac, fd: cardsFrom + index })),
      ...(savable && { monitor: behindCards }),
      ...(saved !== undefined && { incoming: behindCards }),
    });
    const setpriv = slots && !savable ? undefined : findProgram('setpriv');
    const endsWithUs = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
    const [program = '', ...rest] = [...endsWithUs, findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64', ...argv];
    const sockets = [
      'pipe',
      'pipe',
      ...ports.map(() => 'pipe' as const),
      ...cards.map(({ cable }) => cable ?? ('pipe' as const)),
      ...(savable ? ['pipe' as const] : []),
      ...(saved === undefined ? [] : [saved]),
    ] as const;
    const process = spawn(program, rest, {
      stdio: ['ignore', 'ignore', 'pipe', ...sockets],
      // A session of its own: Ctrl-C at the terminal must reach the harness, which ends the lab in order.
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    // QEMU has its own copy of the other end.
    for (const { cable } of cards) cable?.destroy();
    if (saved !== undefined) closeSync(saved);
    return new Guest(options, process);
  }

  /** Process id of QEMU. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Aborts with GUEST_DIED or KERNEL_PANIC when the guest is gone, unless {@link close} has ended it. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  /** The end of a serial port in this process. */
  port(name: string): Socket {
    const port = this.#ports.get(name);
    if (port) return port;
    throw new TypeError(`${this.name} has no serial port ${name}`);
  }

  /** For each NIC, the end of its cable in this process; null if another guest has it already. */
  get cables(): readonly (Socket | null)[] {
    return this.#cables;
  }

  /** The end of the control port in this process: the guest runs as long as a process holds it. */
  get control(): Socket {
    return this.#control;
  }

  /**
   * Sends init its script, and waits until init has run it.
   * @param deadline milliseconds; multiplied by the user's timeout factor, and by the guest's slowness
   * @throws MacvlabError GUEST_START with the phase reached and the console's last lines
   */
  async boot(script: readonly string[], deadline: number): Promise<void> {
    await this.#run([...script, 'echo ready'], 'ready', 'boot', deadline);
    this.console.reached('ready');
  }

  /**
   * Waits until a guest that resumes answers. Then it runs the script of {@link boot}.
   * @throws MacvlabError GUEST_START as {@link boot}
   */
  async resume(deadline: number): Promise<void> {
    await this.#run(['echo resumed'], 'resumed', 'resume', deadline);
  }

  async #run(script: readonly string[], answer: string, verb: string, deadline: number): Promise<void> {
    this.perform(script);
    try {
      await this.console.changes.until(() => this.#answer.split('\n').includes(answer) || undefined, {
        what: `${this.name} to ${verb}`,
        deadline: timeout(deadline) * this.slowness,
      });
    } catch (error) {
      throw new MacvlabError('GUEST_START', `${this.name} did not ${verb}: ${this.#reached}${whyIn(error)}`, {
        evidence: this.#evidence(),
        next: 'look at the console’s last lines; `macvlab doctor --lab vm` tries the machine, `--kernel` another kernel',
        cause: error,
      });
    }
  }

  /**
   * Saves the state of a guest that is savable, and ends the guest.
   * @param file does not exist yet
   * @param deadline milliseconds, as for {@link boot}
   * @throws MacvlabError PROGRAM_FAILED, WAIT_DEADLINE
   */
  async save(file: string, deadline: number): Promise<SavedMachine> {
    if (!this.#monitor) throw new TypeError(`${this.name} has no monitor`);
    await this.#monitor.save(file, timeout(deadline));
    // The shell renames the file after QEMU has reported the end.
    const complete = () => Promise.resolve(existsSync(file) || undefined);
    await poll(complete, { what: 'the saved state to be complete', deadline: timeout(deadline) });
    await this.close();
    return { file, console: this.console.text };
  }

  /** Sends init more commands; a failing one ends the guest, and its error is printed on the console. */
  perform(script: readonly string[]): void {
    this.#control.write(`${script.join('\n')}\n`);
  }

  /** The reason why the guest is gone, as soon as it is available: for sessions that end with it. */
  epitaph(): MacvlabError | undefined {
    return this.#death.signal.aborted ? (this.#death.signal.reason as MacvlabError) : undefined;
  }

  /** Settles when QEMU is gone, and all its output has been read. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Ends QEMU at once without waiting: another guest of the lab is gone, and this one is useless without it. */
  abandon(): void {
    this.#process.kill('SIGKILL');
  }

  /** Ends the guest and waits until QEMU is gone; idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#process.pid === undefined) return;
    this.#process.kill('SIGKILL');
    await within(this.#exited, { what: `QEMU of ${this.name} to end`, deadline: timeout(endDeadline) });
    this.release();
  }

  /** Releases the guest, which continues to run; it no longer keeps this process from ending. */
  release(): void {
    for (const socket of this.#process.stdio) (socket as Socket | null)?.destroy();
    this.#process.unref();
  }

  get #reached(): string {
    return `it got as far as ${this.console.phase === 'ready' ? 'its work' : this.console.phase}`;
  }

  #evidence(): string {
    return [this.#qemuWords.trimEnd(), this.console.tail()].filter(Boolean).join('\n');
  }

  #deathCause(): MacvlabError {
    const { exitCode, signalCode } = this.#process;
    const panic = this.console.complaints.find(({ line }) => /^(Kernel panic|Oops|BUG|general protection)/.test(line));
    const said = this.#closing
      ? 'it was closed'
      : panic
        ? panic.line
        : `QEMU ended with ${signalCode ?? `status ${exitCode}`}`;
    return new MacvlabError(panic ? 'KERNEL_PANIC' : 'GUEST_DIED', `${this.name} is gone: ${said}`, {
      evidence: this.#evidence(),
      next: panic
        ? 'look at the console in the evidence: the kernel under test has crashed'
        : 'look at QEMU’s last words; is there memory enough, and did somebody end it?',
    });
  }
}

/** The part of the error message after "did not boot". */
function whyIn(error: unknown): string {
  if (error instanceof MacvlabError && error.code === 'WAIT_DEADLINE') return ', and no further in time';
  return `; ${messageOf(error)}`;
}
