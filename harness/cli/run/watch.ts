/** `run --watch`: keeps one sandbox, and runs the chosen experiments there again after each change of a suite. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { exitCode, MacvlabError } from '../../core/error.js';
import { pause } from '../../core/wait.js';
import { Lab } from '../../lab/lab.js';
import { withdrawDetached, writeDetached } from '../../machine/detached/detached-labs.js';
import type { LabDriver } from '../../machine/driver.js';

/** Milliseconds in which an editor writes all that it saves. */
const settling = 100;

export interface WatchOptions {
  /** The folder of the checkout. */
  root: string;
  /** The arguments of each run, after `macvlab`. */
  run: readonly string[];
  driver: LabDriver;
  signal: AbortSignal;
  note: (line: string) => void;
}

/**
 * Runs until it is interrupted.
 * @returns the exit code of the last run
 * @throws MacvlabError USAGE outside a checkout; errors of the lab
 */
export async function watchSuites(options: WatchOptions): Promise<number> {
  const { root, signal, note } = options;
  const suites = join(root, 'suites');
  if (!existsSync(join(root, 'tsconfig.json')) || !existsSync(suites)) {
    throw new MacvlabError('USAGE', '--watch compiles the suites of a checkout, and this is an installed package', {
      next: 'clone the repository, and run it there',
    });
  }
  const watcher = watch(suites, { recursive: true });
  let last: number = exitCode.ok;
  let lab = await SharedLab.open(options.driver);
  try {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const changed = once(watcher, 'change', { signal }).catch(() => undefined);
      if (await compiles(root)) {
        last = await node([join(root, 'dist/harness/cli/main.js'), ...options.run, '--attach', lab.name]);
        if (!isOver() && last !== exitCode.ok && last !== exitCode.failed) {
          note('this run may have left something in the sandbox: another one is opened');
          await lab.close();
          lab = await SharedLab.open(options.driver);
        }
      }
      if (!isOver()) note('waiting for a change in suites/; Ctrl-C ends');
      await changed;
      await pause(settling);
    }
    return last;
  } finally {
    watcher.close();
    await lab.close();
  }
}

/** A lab that other processes use and this process holds. */
class SharedLab {
  private constructor(
    readonly name: string,
    readonly lab: Lab,
  ) {}

  static async open(driver: LabDriver): Promise<SharedLab> {
    const lab = await Lab.open(driver);
    try {
      const { name } = await writeDetached({ ...(await lab.share()), name: `watch-${process.pid}` });
      return new SharedLab(name, lab);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    withdrawDetached(this);
    await this.lab.close();
  }
}

/** Compiles what has changed. The compiler shows its errors. */
async function compiles(root: string): Promise<boolean> {
  return (await node([join(root, 'harness/setup/main.mjs'), '--for', 'build'])) === 0;
}

/** Runs a program in Node, with this process's input and output. @returns its exit code */
async function node(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, argv, { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? exitCode.interrupted;
}
