/** Programs of the project that the tests run to their end, whatever signal comes meanwhile: they have labs to take down. */
import { type ChildProcess, spawn } from 'node:child_process';
import { exitCode } from '../core/error.js';

/** A program that has ended. */
export interface Ended {
  /** Its exit code; 130 when a signal ended it, as shells have it. */
  exit: number;
  /** Standard output and standard error as they came. */
  output: string;
}

/** The running programs of this process. */
export class Commands {
  readonly #running = new Set<ChildProcess>();
  #interrupted = false;

  /**
   * Runs a program, unless an interrupt came before.
   * @param argv argument list
   * @param options cwd; environment is added to this process's own
   */
  async run(
    [program = '', ...argumentList]: readonly string[],
    { cwd, environment = {} }: { cwd: string; environment?: Record<string, string> },
  ): Promise<Ended> {
    if (this.#interrupted) return { exit: exitCode.interrupted, output: '' };
    const child = spawn(program, argumentList, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#running.add(child);
    let output = '';
    const add = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    try {
      return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
          resolve({ exit: code ?? (signal === null ? 1 : exitCode.interrupted), output });
        });
      });
    } finally {
      this.#running.delete(child);
    }
  }

  /** Passes a signal on to the running programs; no other begins. */
  interrupt(signal: NodeJS.Signals): void {
    this.#interrupted = true;
    for (const child of this.#running) child.kill(signal);
  }
}
