/** Uses the ssh program to reach a machine: the input and output of a remote command are one local socket. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { timeout, within } from '../core/wait.js';
import { quoteCommand } from './quote.js';
import { findProgram } from '../setup/tools.mjs';
import { hostTool } from '../core/host-tools.js';

export interface SshWay {
  /** The machine’s name, as text. */
  name: string;
  /** The purpose of ssh, for an error where it is missing. */
  need: string;
  /** Arguments of ssh before its destination. */
  options: readonly string[];
  /** The destination for ssh. */
  destination: string;
  /** The words before a command there that make it run as root. */
  asRoot: readonly string[];
}

/** A command on a machine, as root: its streams are one socket. */
export interface RemoteShell {
  child: ChildProcess;
  socket: Socket;
  /** Its standard error, and its exit status. */
  words: () => string;
  ended: Promise<unknown>;
}

/**
 * Closes a command's input, and waits for its end; does not wait for a machine that does not answer.
 * @param slowness the factor by which the machine is slower than usual
 */
export async function leave({ socket, child, ended }: RemoteShell, slowness = 1): Promise<void> {
  socket.end();
  const left = { what: 'a machine to be let go', deadline: timeout(10_000) * slowness };
  await within(ended, left).catch(async () => {
    child.kill('SIGKILL');
    await ended;
  });
}

/** Ends the started command when this process dies, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * Starts a command on a machine as root.
 * @param outlives whether it may continue after this process has ended
 * @throws MacvlabError TOOL_MISSING
 */
export function enter(way: SshWay, argv: readonly string[], outlives = false): RemoteShell {
  const { name, need, options, destination, asRoot } = way;
  const ssh = [hostTool('ssh', need), ...options, '-T', destination];
  const command = [...ssh, '--', quoteCommand([...asRoot, ...argv])];
  // One socket serves as both standard input and output. A shell assigns it, because spawn gives two.
  const duplex = ['sh', '-c', 'exec "$@" <&3 >&3 3>&-', 'ssh', ...command];
  const [program = '', ...rest] = [...(!outlives && findProgram('setpriv') ? endsWithUs : []), ...duplex];
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], detached: true });
  const socket = child.stdio[3] as Socket;
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4096)));
  child.on('error', (error) => socket.destroy(error));
  child.on('exit', (status, signal) => (words += `ssh to ${name} ended with ${signal ?? `status ${status}`}\n`));
  return { child, socket, words: () => words, ended: new Promise((resolve) => child.on('close', resolve)) };
}
