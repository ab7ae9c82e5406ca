/** The process of a scratch machine, as its parent uses it. Requests and answers are lines of JSON. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MacvlabError } from '../../core/error.js';
import type { KillPlan } from './scratch-machine.js';
import type { KillJob, KilledRun, UninterruptedRun, Kill } from './scratch-machine.js';

const worker = fileURLToPath(new URL('worker.js', import.meta.url));

/** The first process of the namespaces. A process without a parent becomes its child, and it reaps that process (wait(2)). */
const init = 'exec 3<&0; "$@" <&3 3<&- & exec 3<&- </dev/null; wait $!';

export class ScratchMachineProcess {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers: AsyncIterator<string, undefined>;
  readonly #closed: Promise<unknown>;
  readonly #folder: string;
  #words = '';

  constructor({ run, containers, gc, folder, signal, settle }: KillPlan, name: string, rehearse: boolean) {
    this.#folder = join(folder, name);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
    const job: KillJob = {
      folder: this.#folder,
      run,
      containers,
      gc,
      rehearse,
      ...(settle !== undefined && { settle }),
    };
    const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--net', '--uts', '--ipc'];
    const inside = ['sh', '-c', init, 'init', process.execPath, worker, JSON.stringify(job)];
    const child = spawn('unshare', [...namespaces, '--propagation', 'private', '--', ...inside], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#words += text));
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#closed = new Promise((resolve) => child.once('close', resolve));
    const end = () => child.kill('SIGKILL');
    signal.addEventListener('abort', end, { once: true });
    void this.#closed.then(() => signal.removeEventListener('abort', end));
  }

  /** The result of an uninterrupted run. */
  async rehearsal(): Promise<UninterruptedRun> {
    return (await this.#answer()) as UninterruptedRun;
  }

  /** Ends a run, and returns its result. */
  async end(kill: Kill): Promise<KilledRun> {
    this.#process.stdin.write(`${JSON.stringify(kill)}\n`);
    return (await this.#answer()) as KilledRun;
  }

  /** Lets the process end, and removes its folder. */
  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @throws MacvlabError LAB_OPEN if the process has ended without an answer */
  async #answer(): Promise<unknown> {
    const { value, done } = await this.#answers.next();
    if (done !== true) return JSON.parse(value);
    await this.#closed;
    throw new MacvlabError('LAB_OPEN', 'the process in whose namespaces runs are ended has ended itself', {
      evidence: this.#words,
      next: 'look at its words; it needs root, and unshare',
    });
  }
}
