/** Runs the command line as a user does: as a process with an exit code and two outputs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/** This folder does not exist, so that no test touches the developer's Vagrant machines of this checkout. */
const noMachines = join(tmpdir(), 'macvlab-tests-have-no-vagrant-machines');

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CallOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Called with the standard error so far, each time it grows. */
  said?: (stderr: string) => void;
}

/** Runs `macvlab` to its end. */
export async function macvlab(
  words: readonly string[],
  { cwd, env = {}, input = '', said }: CallOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...words], {
    cwd,
    env: { ...process.env, VAGRANT_DOTFILE_PATH: noMachines, ...env },
  });
  child.stdin.on('error', () => undefined).end(input);
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    stderr += more;
    said?.(stderr);
  });
  const stdout = await text(child.stdout);
  await closed;
  return { status: child.exitCode, stdout, stderr };
}

/** The program's file, for a shell. */
export { main };
