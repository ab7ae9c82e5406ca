/**
 * Keepers: processes that do nothing but hold a kept lab. A harness that is killed between starting a keeper and writing
 * the lab's state file leaves one that no file knows of; only that can outlive a killed run, and it is found here.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Stream } from 'node:stream';
import { listKept, stateFolder } from './kept.js';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/** Any command that does nothing for long enough would do; 68 years is what a 32-bit count of seconds holds. */
export const keeperCommand = ['sleep', '2147483647'] as const;

/** Says in a keeper's environment which process started it. */
const mark = 'MACVLAB_KEEPER';

/**
 * Hands streams to a process of its own session that does nothing but hold them. Ending it closes them, and ends what lives by
 * them.
 * @returns its process id
 */
export async function startKeeper(streams: readonly Stream[]): Promise<number> {
  const [program, ...rest] = keeperCommand;
  const keeper = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'ignore', ...streams],
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
  return keeper.pid ?? 0;
}

/** A keeper's whole environment: who started it, and the folder in which its lab's state file will be. */
export function keeperEnvironment(): Record<string, string> {
  const starter = identify(process.pid);
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    [mark]: `${process.pid} ${starter?.startTime}`,
    MACVLAB_STATE: stateFolder(),
  };
}

/**
 * Keepers of this user and state folder that no state file names, whose starter is gone, so that none ever will. A
 * process counts as a keeper only if its command, its whole environment, its user and its namespaces are those of one.
 */
export function findLostKeepers(): ProcessIdentity[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // States are read after the list of processes: a keeper started since then is not in the list.
  const lost = pids.flatMap((pid) => lostKeeper(Number(pid)) ?? []);
  const known = new Set(listKept().map(({ keeper }) => keeper.pid));
  return lost.filter(({ pid }) => !known.has(pid));
}

/** Ends a keeper that `findLostKeepers` found, if it is still that process. */
export function endLostKeeper(keeper: ProcessIdentity): void {
  if (lostKeeper(keeper.pid)?.startTime === keeper.startTime) process.kill(keeper.pid, 'SIGTERM');
}

function lostKeeper(pid: number): ProcessIdentity | undefined {
  const identity = identify(pid);
  try {
    if (!identity || !isKeeper(pid)) return undefined;
    const environment = new Map(strings(`/proc/${pid}/environ`).map(split));
    const [starter = 0, startTime = 0] = (environment.get(mark) ?? '').split(' ').map(Number);
    const ours = starter > 0 && environment.get('MACVLAB_STATE') === stateFolder();
    return ours && !isRunning({ pid: starter, startTime }) ? identity : undefined;
  } catch {
    // Gone meanwhile, or another user's.
    return undefined;
  }
}

function isKeeper(pid: number): boolean {
  const command = strings(`/proc/${pid}/cmdline`).join(' ');
  if (command !== keeperCommand.join(' ')) return false;
  if (statSync(`/proc/${pid}`).uid !== process.geteuid?.()) return false;
  // Within a container, the same folder is another one, and the same process id another process.
  return ['mnt', 'pid'].every(
    (kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`),
  );
}

/** The strings of a file in which each ends with a zero byte. */
function strings(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

function split(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}
