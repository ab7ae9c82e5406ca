/** Runs programs of the project for the tests. Each runs to its end even after a signal, because it must remove its labs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { exitCode } from '../../core/error.js';

/** The result of a program. */
export interface Ended {
  /** Its exit code; 130 if a signal ended it, as in a shell. */
  exit: number;
  /** Standard output and standard error in order of arrival. */
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

  /** Forwards a signal to the running programs. No other program starts after it. */
  interrupt(signal: NodeJS.Signals): void {
    this.#interrupted = true;
    for (const child of this.#running) child.kill(signal);
  }
}
