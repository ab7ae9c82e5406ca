/** Processes that run test files. A free process takes the next file. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../core/error.js';
import { within } from '../../core/wait.js';
import type { FileResult } from './file-result.js';

/** A file's result, with the output of its tests. */
export interface FileRun extends FileResult {
  /** Standard output and standard error in order of arrival; the last 256 KiB. */
  output: string;
}

const program = fileURLToPath(new URL('worker.js', import.meta.url));

/** Milliseconds after which a file's tests count as hanging. Each test has its own timeout. */
const longest = 1_200_000;

const mostOutput = 262_144;

/** A set of workers. Close it when all files have run. */
export class Workers {
  readonly #all = new Set<Worker>();
  readonly #strays: string[] = [];

  /** Errors that broke a worker between two files, a text each. They occurred after the tests that caused them. */
  get strays(): readonly string[] {
    return this.#strays;
  }

  /**
   * Runs a test file in a free worker, or in a new one. A worker in which a test failed runs no other file, because
   * leftovers of that test must not disturb another.
   * @param file path of a compiled test file
   * @returns its result; a worker that ends, or tests that never end, are a failure in it
   */
  async run(file: string): Promise<FileRun> {
    const worker = [...this.#all].find(({ isFree }) => isFree) ?? this.#start();
    const run = await worker.run(file);
    if (run.failures.length > 0) worker.close();
    return run;
  }

  /** Forwards a signal to all workers. They end their tests and run their after hooks. */
  interrupt(signal: NodeJS.Signals): void {
    for (const worker of this.#all) worker.kill(signal);
  }

  /** Ends all workers. */
  close(): void {
    for (const worker of this.#all) worker.close();
  }

  #start(): Worker {
    const worker = new Worker();
    this.#all.add(worker);
    worker.ended
      .then((stray) => {
        this.#all.delete(worker);
        if (stray !== undefined) this.#strays.push(stray);
      })
      .catch(() => undefined);
    return worker;
  }
}

/** One worker process. */
class Worker {
  /** How it ended: a text if it ended unexpectedly. */
  readonly ended: Promise<string | undefined>;
  readonly #process: ChildProcess;
  #running = false;
  #closed = false;
  #output = '';

  constructor() {
    this.#process = fork(program, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const add = (chunk: Buffer): void => void (this.#output = (this.#output + chunk.toString()).slice(-mostOutput));
    this.#process.stdout?.on('data', add);
    this.#process.stderr?.on('data', add);
    this.ended = once(this.#process, 'close').then(([code, signal]: unknown[]) => {
      const wanted = this.#closed || this.#running;
      this.#closed = true;
      return wanted ? undefined : `a test process ended (${String(signal ?? code)}): ${this.#output.trim()}`;
    });
  }

  get isFree(): boolean {
    return !this.#running && !this.#closed;
  }

  async run(file: string): Promise<FileRun> {
    this.#running = true;
    this.#output = '';
    try {
      const died = this.ended.then(() => {
        throw new Error('the test process ended');
      });
      const answered = once(this.#process, 'message');
      this.#process.send(file);
      const [result] = (await within(Promise.race([answered, died]), {
        what: `the tests of ${file} to end`,
        deadline: longest,
      })) as [FileResult];
      return { ...result, output: this.#output };
    } catch (error) {
      this.kill('SIGKILL');
      const failures = [{ title: file, message: messageOf(error) }];
      return { passed: 0, skipped: [], failures, output: this.#output };
    } finally {
      this.#running = false;
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL') this.#closed = true;
    this.#process.kill(signal);
  }

  close(): void {
    this.#closed = true;
    if (this.#process.connected) this.#process.disconnect();
  }
}
