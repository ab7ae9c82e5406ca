/**
 * A guest: a QEMU process, reached through sockets that it inherits. When this process dies, for whatever reason, the kernel
 * ends QEMU (prctl(2), PR_SET_PDEATHSIG), and the guest's own init powers off at the end of its control port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { MacvlabError, messageOf } from '../../core/error.js';
import { patience, within } from '../../core/wait.js';
import { findProgram } from '../../setup/tools.mjs';
import type { KernelComplaint } from '../driver.js';
import { Console } from './console.js';
import { type QemuPlan, qemuArguments, slowness } from './qemu.js';

export interface GuestOptions extends Omit<QemuPlan, 'console' | 'ports' | 'cards' | 'slots'> {
  /** "node1", or "the guest". */
  name: string;
  /** Serial ports besides the control port. */
  ports: readonly string[];
  /** Network cards: a MAC address, and the other guest's end of the cable where that one stands already. */
  cards?: readonly { mac: string; cable?: Socket }[];
  /** Complaints of all kernels of the lab, in order: this one's are added. */
  complaints?: KernelComplaint[];
  /**
   * Ways in for other processes, as socket files by the names of their ports. With them, QEMU may go on when this process has
   * ended, as that of a lab that is kept has to.
   */
  slots?: ReadonlyMap<string, string>;
}

/** The port through which init gets its commands. */
const controlPort = 'control';
/** Inherited descriptors begin behind the standard ones. */
const firstDescriptor = 3;
const endDeadline = 5000;
/** Characters that are kept of what QEMU says, and of what a guest answers through its control port. */
const mostWords = 16_384;

export class Guest {
  readonly name: string;
  /** How many times as long as usual it takes for everything. */
  readonly slowness: number;
  readonly console: Console;
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #ports: ReadonlyMap<string, Socket>;
  readonly #cables: readonly (Socket | null)[];
  readonly #death = new AbortController();
  readonly #exited: Promise<void>;
  #qemuWords = '';
  #answer = '';
  #closing = false;

  private constructor({ name, accelerator, ports, complaints }: GuestOptions, process: ChildProcess) {
    this.name = name;
    this.slowness = slowness[accelerator];
    this.#process = process;
    const [control, console, ...others] = process.stdio.slice(firstDescriptor) as (Socket | null)[];
    if (!control || !console) throw new TypeError('spawn has opened no sockets');
    this.#control = control;
    this.console = new Console(name, console, complaints);
    this.#ports = new Map(ports.map((port, index) => [port, others[index] as Socket]));
    this.#cables = others.slice(ports.length);
    // They are for another QEMU: what comes through them must not be read here.
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
      // Behind the exit, when all that it had to say has been read.
      process.once('close', () => resolve());
    });
    void this.#exited.then(() => this.#death.abort(this.#obituary()));
    this.#death.signal.addEventListener('abort', () => this.console.changes.fail(this.#death.signal.reason));
  }

  /** Starts QEMU. Whether it really starts, and how far the guest comes, is for {@link boot} to find out. */
  static start(options: GuestOptions): Guest {
    const { name: _, complaints: __, ports, cards = [], slots, ...plan } = options;
    const portsFrom = firstDescriptor + 2;
    const cardsFrom = portsFrom + ports.length;
    const argv = qemuArguments({
      ...plan,
      console: firstDescriptor + 1,
      ports: new Map([
        [controlPort, firstDescriptor],
        ...ports.map((port, index) => [port, portsFrom + index] as const),
      ]),
      ...(slots && { slots }),
      cards: cards.map(({ mac }, index) => ({ mac, fd: cardsFrom + index })),
    });
    const setpriv = slots ? undefined : findProgram('setpriv');
    const endsWithUs = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
    const [program = '', ...rest] = [...endsWithUs, findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64', ...argv];
    const sockets = [
      'pipe',
      'pipe',
      ...ports.map(() => 'pipe' as const),
      ...cards.map(({ cable }) => cable ?? ('pipe' as const)),
    ] as const;
    const process = spawn(program, rest, {
      stdio: ['ignore', 'ignore', 'pipe', ...sockets],
      // A session of its own: Ctrl-C at the terminal must reach the harness, which ends the lab in order.
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    // QEMU has its own copy of the other end.
    for (const { cable } of cards) cable?.destroy();
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

  /** Our end of a serial port. */
  port(name: string): Socket {
    const port = this.#ports.get(name);
    if (port) return port;
    throw new TypeError(`${this.name} has no serial port ${name}`);
  }

  /** For each card, our end of its cable; null where another guest has it already. */
  get cables(): readonly (Socket | null)[] {
    return this.#cables;
  }

  /** Our end of the control port: whoever holds it keeps the guest running. */
  get control(): Socket {
    return this.#control;
  }

  /**
   * Gives init its script, and waits until that has been performed.
   * @param deadline milliseconds; multiplied by the user's patience, and by the guest's slowness
   * @throws MacvlabError GUEST_START with the phase reached and the console's last lines
   */
  async boot(script: readonly string[], deadline: number): Promise<void> {
    this.perform([...script, 'echo ready']);
    try {
      await this.console.changes.until(() => /^ready$/m.test(this.#answer) || undefined, {
        what: `${this.name} to boot`,
        deadline: patience(deadline) * this.slowness,
      });
      this.console.reached('ready');
    } catch (error) {
      throw new MacvlabError('GUEST_START', `${this.name} did not boot: ${this.#reached}${whyIn(error)}`, {
        evidence: this.#evidence(),
        next: 'look at the console’s last lines; `macvlab doctor --lab vm` tries the machine, `--kernel` another kernel',
        cause: error,
      });
    }
  }

  /** Gives init more to perform; what fails ends the guest, and is said on the console. */
  perform(script: readonly string[]): void {
    this.#control.write(`${script.join('\n')}\n`);
  }

  /** Why the guest is gone, as soon as that can be told: for sessions that end with it. */
  epitaph(): MacvlabError | undefined {
    return this.#death.signal.aborted ? (this.#death.signal.reason as MacvlabError) : undefined;
  }

  /** Settles when QEMU is gone, and all that it had to say has been read. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Ends QEMU at once, and waits for nothing: another guest of the lab is gone, and this one is of no use without it. */
  abandon(): void {
    this.#process.kill('SIGKILL');
  }

  /** Ends the guest and waits until QEMU is gone; idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#process.pid === undefined) return;
    this.#process.kill('SIGKILL');
    await within(this.#exited, { what: `QEMU of ${this.name} to end`, deadline: patience(endDeadline) });
    this.release();
  }

  /** Lets go of the guest, which goes on: nothing keeps this process from ending. */
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

  #obituary(): MacvlabError {
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

/** What an error adds to "did not boot". */
function whyIn(error: unknown): string {
  if (error instanceof MacvlabError && error.code === 'WAIT_DEADLINE') return ', and no further in time';
  return `; ${messageOf(error)}`;
}
