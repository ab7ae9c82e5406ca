/** The ssh program as a way into a machine: what a command there reads and says is one socket here. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { patience, within } from '../core/wait.js';
import { quoteCommand } from '../remote/quote.js';
import { findProgram } from '../setup/tools.mjs';
import { hostTool } from './host-tools.js';

export interface SshWay {
  /** The machine’s name, in words. */
  name: string;
  /** What ssh is needed for, where it is missing. */
  need: string;
  /** Arguments of ssh in front of its destination. */
  options: readonly string[];
  /** What ssh is told to connect to. */
  destination: string;
  /** What stands there in front of a command, so that it is root’s. */
  asRoot: readonly string[];
}

/** A command on a machine, as root: its streams are one socket. */
export interface Entered {
  child: ChildProcess;
  socket: Socket;
  /** Its standard error, and how it ended. */
  words: () => string;
  ended: Promise<unknown>;
}

/**
 * Closes a command's input, and waits for its end; a machine that does not answer is not waited for.
 * @param slowness how many times as long as usual the machine takes for everything
 */
export async function leave({ socket, child, ended }: Entered, slowness = 1): Promise<void> {
  socket.end();
  const left = { what: 'a machine to be let go', deadline: patience(10_000) * slowness };
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
export function enter(way: SshWay, argv: readonly string[], outlives = false): Entered {
  const { name, need, options, destination, asRoot } = way;
  const ssh = [hostTool('ssh', need), ...options, '-T', destination];
  const command = [...ssh, '--', quoteCommand([...asRoot, ...argv])];
  // One socket serves as both standard input and output; a shell puts it there, since spawn gives two.
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
