/** Keeping a sandbox beyond this process: its init lives as long as somebody holds its standard input open. */
import { spawn } from 'node:child_process';
import { keeperCommand, keeperEnvironment } from '../keepers.js';
import type { Init } from './init.js';

/** Hands init's standard input to a process of its own session, and returns that process's id. Ending it ends the sandbox. */
export async function keepInit(init: Init): Promise<number> {
  const [program, ...rest] = keeperCommand;
  const keeper = spawn(program, rest, {
    stdio: [init.stdin, 'ignore', 'ignore'],
    detached: true,
    // Its environment tells `macvlab gc` that it is ours.
    env: keeperEnvironment(),
    cwd: '/',
  });
  await new Promise<void>((resolve, reject) => {
    keeper.once('spawn', resolve);
    keeper.once('error', reject);
  });
  keeper.unref();
  init.process.unref();
  return keeper.pid ?? 0;
}
