/** The way into a machine: the ssh program, with what `vagrant ssh-config` says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { patience, within } from '../../core/wait.js';
import { findProgram } from '../../setup/tools.mjs';
import { hostTool } from '../host-tools.js';
import { quoteCommand } from '../../remote/quote.js';
import { vagrant } from './vagrant-program.js';

/** A folder with the configuration, and the machines' host keys as they were at first. */
export interface WayIn {
  folder: string;
}

/** Asks Vagrant for addresses and keys, and writes them into a folder. @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED */
export async function findWayIn(folder: string, environment: Record<string, string>): Promise<WayIn> {
  const config = await vagrant(['ssh-config'], { what: 'tell the machines’ addresses', environment });
  const file = join(folder, 'ssh_config');
  writeFileSync(file, config);
  chmodSync(file, 0o600);
  return { folder };
}

/**
 * A host key is taken at the first contact, as Vagrant itself does at each, and pinned from then on. What is said in this way is
 * encrypted once more: the lab's own sshd, whose key we made, is behind it.
 */
function sshOptions({ folder }: WayIn): string[] {
  const options = {
    StrictHostKeyChecking: 'accept-new',
    UserKnownHostsFile: join(folder, 'known_hosts'),
    GlobalKnownHostsFile: '/dev/null',
    HashKnownHosts: 'no',
    BatchMode: 'yes',
    ConnectTimeout: '60',
    ServerAliveInterval: '10',
    ServerAliveCountMax: '4',
    ControlPath: 'none',
    LogLevel: 'ERROR',
  };
  return [
    '-F',
    join(folder, 'ssh_config'),
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}

/** A command on a machine, as root: its streams are one socket. */
export interface Entered {
  child: ChildProcess;
  socket: Socket;
  /** Its standard error, and how it ended. */
  words: () => string;
  ended: Promise<unknown>;
}

/** Closes a command's input, and waits for its end; a machine that does not answer is not waited for. */
export async function leave({ socket, child, ended }: Entered): Promise<void> {
  socket.end();
  const left = { what: 'a machine to be let go', deadline: patience(10_000) };
  await within(ended, left).catch(async () => {
    child.kill('SIGKILL');
    await ended;
  });
}

/** Ends what it starts when this process dies, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * Starts a command on a machine as root.
 * @param outlives whether it may go on when this process has ended
 * @throws MacvlabError TOOL_MISSING
 */
export function enter(way: WayIn, machine: string, argv: readonly string[], outlives = false): Entered {
  const ssh = [hostTool('ssh', 'is Vagrant’s way into the machines'), ...sshOptions(way), '-T', machine];
  const command = [...ssh, '--', quoteCommand(['sudo', '-n', '--', ...argv])];
  // One socket serves as both standard input and output; a shell puts it there, since spawn gives two.
  const duplex = ['sh', '-c', 'exec "$@" <&3 >&3 3>&-', 'ssh', ...command];
  const [program = '', ...rest] = [...(!outlives && findProgram('setpriv') ? endsWithUs : []), ...duplex];
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], detached: true });
  const socket = child.stdio[3] as Socket;
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4096)));
  child.on('error', (error) => socket.destroy(error));
  child.on('exit', (status, signal) => (words += `ssh to ${machine} ended with ${signal ?? `status ${status}`}\n`));
  return { child, socket, words: () => words, ended: new Promise((resolve) => child.on('close', resolve)) };
}
