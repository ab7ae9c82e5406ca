/** SSH sessions with sandbox nodes: `sshd -i` in the node's namespaces, with its standard input and output as the transport. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { findProgram } from '../../setup/tools.mjs';
import { Session } from '../../remote/session.js';
import { hostNames } from './init.js';
import { type LabKeys, sshdCommand } from '../../remote/sshd.js';

/** The command that starts sshd in a sandbox. */
export function sandboxSshd(): string[] {
  return sshdCommand(findProgram('sshd'));
}

/**
 * Ends nsenter when this process dies, even by SIGKILL. nsenter runs outside the sandbox, as the parent of sshd. If
 * both are stopped at that moment, no process reaps sshd, and the sandbox cannot end (pid_namespaces(7); prctl(2),
 * PR_SET_PDEATHSIG).
 */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * Opens a session in a sandbox's network namespace, by default in the sandbox's own.
 * @param init process id of the sandbox's init
 * @throws MacvlabError REMOTE_CONNECT
 */
export async function connectSandbox(init: number, keys: LabKeys, name: string, namespace?: string): Promise<Session> {
  const server = [...sandboxSshd(), '-i'];
  const inNode =
    namespace === undefined
      ? server
      : ['nsenter', `--net=/run/netns/${namespace}`, `--uts=${hostNames}/${namespace}`, '--', ...server];
  // One socket is both standard input and output of sshd. A shell duplicates it, since spawn would create two.
  const duplex = ['sh', '-c', 'exec "$@" <&3 >&3 3>&-', 'sshd', ...inNode];
  const enter = ['nsenter', '--target', String(init), '--mount', '--uts', '--ipc', '--pid', '--net', '--', ...duplex];
  const [program = '', ...rest] = [...(findProgram('setpriv') ? endsWithUs : []), ...enter];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  const transport = child.stdio[3] as Socket;
  // A stopped sshd also stops its nsenter (nsenter.c). The sandbox can only end when nsenter continues.
  transport.on('close', () => child.kill('SIGCONT'));
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4096)));
  const carrier = new Promise((resolve) => child.on('close', resolve));
  child.on('error', (error) => transport.destroy(error));
  child.on('exit', (status, signal) => (words += `sshd of ${name} ended with ${signal ?? `status ${status}`}\n`));
  return Session.open({
    name,
    transport,
    user: 'root',
    privateKey: keys.user.private,
    hostKey: keys.host.public,
    stderrTail: () => words,
    carrier,
  });
}
