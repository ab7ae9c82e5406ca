/** SSH into a sandbox node: `sshd -i` started in its namespaces, with its standard input and output as the transport. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { findProgram } from '../../setup/tools.mjs';
import { Session } from '../../remote/session.js';
import { hostNames } from './init.js';
import { type LabKeys, sshdCommand } from '../sshd.js';

/** The command that starts sshd in a sandbox. */
export function sandboxSshd(): string[] {
  return sshdCommand(findProgram('sshd'));
}

/**
 * Ends nsenter when this process dies, even by SIGKILL. It stands outside the sandbox, as the parent of sshd: should both be
 * stopped at that moment, nobody would reap sshd, and the sandbox could not end (pid_namespaces(7); prctl(2),
 * PR_SET_PDEATHSIG).
 */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * Opens a session in a sandbox's network namespace, or in the sandbox's own when none is named.
 * @param init process id of the sandbox's init
 * @throws MacvlabError REMOTE_CONNECT
 */
export async function connectSandbox(init: number, keys: LabKeys, name: string, namespace?: string): Promise<Session> {
  const server = [...sandboxSshd(), '-i'];
  const inNode =
    namespace === undefined
      ? server
      : ['nsenter', `--net=/run/netns/${namespace}`, `--uts=${hostNames}/${namespace}`, '--', ...server];
  // One socket serves as both standard input and output of sshd; a shell puts it there, since spawn gives two.
  const duplex = ['sh', '-c', 'exec "$@" <&3 >&3 3>&-', 'sshd', ...inNode];
  const enter = ['nsenter', '--target', String(init), '--mount', '--uts', '--ipc', '--pid', '--net', '--', ...duplex];
  const [program = '', ...rest] = [...(findProgram('setpriv') ? endsWithUs : []), ...enter];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  const transport = child.stdio[3] as Socket;
  // An sshd that was stopped stops its nsenter as well, which then has to go on for the sandbox to end (nsenter.c).
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
    lastWords: () => words,
    carrier,
  });
}
