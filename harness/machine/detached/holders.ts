/**
 * Holders: idle processes that only hold a detached lab. If a harness is killed before it writes the lab's state file,
 * no state file names its holder. Only such a holder can outlive a killed run. This module finds it.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Stream } from 'node:stream';
import { listDetached, stateFolder } from './detached-labs.js';
import { identify, isRunning, type ProcessIdentity } from '../../core/process-identity.js';

/** Any command that does nothing for long enough is suitable; a 32-bit count of seconds holds 68 years. */
export const holderCommand = ['sleep', '2147483647'] as const;

/** The variable in a holder's environment that identifies the process that started it. */
const mark = 'MACVLAB_KEEPER';

/**
 * Passes streams to an idle process in its own session. Ending it closes the streams, and so ends the lab that depends
 * on them.
 * @returns its process id
 */
export async function startHolder(streams: readonly Stream[]): Promise<number> {
  const [program, ...rest] = holderCommand;
  const holder = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'ignore', ...streams],
    detached: true,
    // `macvlab gc` identifies the holder by this environment.
    env: holderEnvironment(),
    cwd: '/',
  });
  await new Promise<void>((resolve, reject) => {
    holder.once('spawn', resolve);
    holder.once('error', reject);
  });
  holder.unref();
  return holder.pid ?? 0;
}

/** A holder's whole environment: the process that started it, and the folder for its lab's state file. */
export function holderEnvironment(): Record<string, string> {
  const starter = identify(process.pid);
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    [mark]: `${process.pid} ${starter?.startTime}`,
    MACVLAB_STATE: stateFolder(),
  };
}

/**
 * Holders of this user and state folder that no state file names and whose starter is gone, so no state file will. A
 * process counts as a holder only if its command, user, namespaces and macvlab variables match.
 */
export function findLostHolders(): ProcessIdentity[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // States are read after the list of processes: a holder started since then is not in the list.
  const lost = pids.flatMap((pid) => lostHolder(Number(pid)) ?? []);
  const known = new Set(listDetached().map(({ keeper }) => keeper.pid));
  return lost.filter(({ pid }) => !known.has(pid));
}

/** Ends a holder that `findLostHolders` found, if it is still that process. */
export function endLostHolder(holder: ProcessIdentity): void {
  if (lostHolder(holder.pid)?.startTime === holder.startTime) process.kill(holder.pid, 'SIGTERM');
}

function lostHolder(pid: number): ProcessIdentity | undefined {
  const identity = identify(pid);
  try {
    if (!identity || !isHolder(pid)) return undefined;
    const environment = new Map(strings(`/proc/${pid}/environ`).map(split));
    const [starter = 0, startTime = 0] = (environment.get(mark) ?? '').split(' ').map(Number);
    const ours = starter > 0 && environment.get('MACVLAB_STATE') === stateFolder();
    return ours && !isRunning({ pid: starter, startTime }) ? identity : undefined;
  } catch {
    // It has ended meanwhile, or it is another user's.
    return undefined;
  }
}

function isHolder(pid: number): boolean {
  const command = strings(`/proc/${pid}/cmdline`).join(' ');
  if (command !== holderCommand.join(' ')) return false;
  if (statSync(`/proc/${pid}`).uid !== process.geteuid?.()) return false;
  // In a container, the same path is another folder, and the same process id is another process.
  return ['mnt', 'pid'].every(
    (kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`),
  );
}

/** The strings of a file in which each string ends with a zero byte. */
function strings(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

function split(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}
