/** Keeping a sandbox beyond this process: its init lives as long as somebody holds its standard input open. */
import { spawn } from 'node:child_process';
import type { Init } from './init.js';

/** Any process that does nothing for long enough would do; 68 years is what a 32-bit count of seconds holds. */
const holder = ['sleep', '2147483647'];

/** Hands init's standard input to a process of its own session, and returns that process's id. Ending it ends the sandbox. */
export async function keepInit(init: Init): Promise<number> {
  const [program = '', ...rest] = holder;
  const keeper = spawn(program, rest, { stdio: [init.stdin, 'ignore', 'ignore'], detached: true });
  await new Promise<void>((resolve, reject) => {
    keeper.once('spawn', resolve);
    keeper.once('error', reject);
  });
  keeper.unref();
  init.process.unref();
  return keeper.pid ?? 0;
}
