/**
 * The sandbox's init process: PID 1 of a private set of PID, mount, UTS, IPC and network namespaces. It begins as a shell
 * that reads its commands from us, and then waits; when its standard input ends, because this process closed it or was killed, it exits, and
 * the kernel takes every process, namespace, interface and mount of the sandbox with it (pid_namespaces(7)).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { MacvlabError, messageOf } from '../../core/error.js';
import { patience, within } from '../../core/wait.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../sshd.js';

export interface Init {
  /** Its process id as this process sees it. */
  pid: number;
  process: ChildProcess;
  stdin: Writable;
}

const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];

/**
 * Starts a sandbox and waits until its files and namespaces stand.
 * @throws MacvlabError LAB_OPEN with the failing program's words
 */
export async function startInit(keys: LabKeys, nodes: readonly string[]): Promise<Init> {
  // A session of its own (setsid): Ctrl-C at the terminal must reach the harness, which ends the lab in order.
  const child = spawn(
    'unshare',
    [...namespaces, '--fork', '--kill-child', '--propagation', 'private', '--', 'sh', '-s'],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    },
  );
  let output = '';
  let words = '';
  const answered = new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const pid = /^ready (\d+)$/m.exec(output)?.[1];
      if (pid) resolve(Number(pid));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
    child.once('error', reject);
    child.once('close', (status, signal) => reject(new Error(`it ended with ${signal ?? `status ${status}`}`)));
    child.stdin.once('error', () => undefined);
  });
  child.stdin.write(initScript(keys, nodes));
  try {
    const pid = await within(answered, { what: 'the sandbox’s init process', deadline: patience(20_000) });
    return { pid, process: child, stdin: child.stdin };
  } catch (error) {
    child.stdin.destroy();
    child.kill('SIGKILL');
    throw new MacvlabError('LAB_OPEN', `the sandbox’s namespaces could not be made: ${messageOf(error)}`, {
      evidence: words,
      next: 'run `macvlab doctor`; in a container, allow it CAP_SYS_ADMIN and CAP_NET_ADMIN',
      cause: error,
    });
  }
}

/** Ends a sandbox, and waits until its last process is gone. */
export async function stopInit(init: Init): Promise<void> {
  if (init.process.exitCode !== null || init.process.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => init.process.once('exit', () => resolve()));
  init.stdin.destroy();
  try {
    await within(ended, { what: 'the sandbox to end', deadline: patience(5000) });
  } catch {
    process.kill(init.pid, 'SIGKILL');
    await within(ended, { what: 'the killed sandbox to end', deadline: patience(5000) });
  }
}

/** What init performs before it waits. The keys reach it through a pipe: no file of the host ever holds them. */
function initScript(keys: LabKeys, nodes: readonly string[]): string {
  return [
    'set -e',
    'read -r pid rest </proc/self/stat',
    'umask 022',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run',
    ...sshdFilesScript(keys),
    ...etcFiles.map((name) => `[ ! -e /etc/${name} ] || mount --bind ${labFolder}/${name} /etc/${name}`),
    // sshd performs the host's /etc/ssh/sshrc in front of every command, and no setting keeps it from that.
    `[ ! -e /etc/ssh ] || mount --bind ${labFolder}/empty /etc/ssh`,
    'echo macvlab >/proc/sys/kernel/hostname',
    `ip -batch - <<'END OF FILE'\n${['link set lo up', ...nodes.map((node) => `netns add ${node}`)].join('\n')}\nEND OF FILE`,
    'echo "ready $pid"',
    // From here on init only waits for the end of its input. Orphans in the sandbox become its children; while it ignores
    // SIGCHLD the kernel reaps them (wait(2), notes), which a shell cannot arrange by itself: dash catches that signal.
    'if env --ignore-signal=CHLD true 2>/dev/null; then exec env --ignore-signal=CHLD cat >/dev/null; fi',
    'exec cat >/dev/null',
    '',
  ].join('\n');
}
