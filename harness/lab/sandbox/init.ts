/**
 * The sandbox's init process: PID 1 of a private set of PID, mount, UTS, IPC and network namespaces. It begins as a shell
 * that reads its commands from us, and then waits; when its standard input ends, because this process closed it or was killed, it exits, and
 * the kernel takes every process, namespace, interface and mount of the sandbox with it (pid_namespaces(7)).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { MacvlabError, messageOf } from '../../core/error.js';
import { patience, within } from '../../core/wait.js';
import { quoteArgument } from '../../remote/quote.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../sshd.js';

export interface Init {
  /** Its process id as this process sees it. */
  pid: number;
  process: ChildProcess;
  stdin: Writable;
}

const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];

/** Where a sandbox has the container engines' programs. */
export const sandboxEngines = `${labFolder}/engines`;

/** Where a sandbox has its nodes' UTS namespaces, each with the host name of its node. */
export const hostNames = '/run/uts';

/**
 * Starts a sandbox and waits until its root, files and namespaces stand.
 * @param engines the folder of this machine that holds the container engines' programs
 * @throws MacvlabError LAB_OPEN with the failing program's words
 */
export async function startInit(keys: LabKeys, nodes: readonly string[], engines?: string): Promise<Init> {
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
  child.stdin.write(initScript(keys, nodes, engines));
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

/** Where the sandbox's root is put together, on a tmpfs that nobody else sees. */
const root = '/run/root';

/**
 * Folders that hold what users have, and not what programs need: empty in a sandbox, and its own. An sshd performs /etc/ssh/sshrc in
 * front of every command, and no setting keeps it from that.
 */
const hidden = ['/root', '/home', '/srv', '/mnt', '/media', '/etc/ssh', '/dev/shm', '/run'];
/** The same, writable for all. */
const temporary = ['/tmp', '/var/tmp'];

/**
 * A root of the sandbox's own: the machine's, as it is, with an overlay in memory above it, so that nothing that is written in a node
 * is written to this machine. Where the kernel stacks no further overlay (fs/overlayfs: FILESYSTEM_MAX_STACK_DEPTH), it is read-only,
 * but for /etc. File systems that are mounted elsewhere than where programs live are left out, as are the folders of users.
 */
function rootScript(engines: string | undefined): string[] {
  const tmpfs = (folders: readonly string[], mode: string) =>
    folders.map((name) => `[ ! -d ${name} ] || echo "tmpfs ${root}${name} tmpfs mode=${mode},nosuid"`);
  const fstab = [
    `echo 'proc ${root}/proc proc nosuid,nodev,noexec'`,
    // That of the sandbox's own network namespace.
    `echo 'sysfs ${root}/sys sysfs ro,nosuid,nodev,noexec'`,
    `echo '/dev ${root}/dev none rbind,ro'`,
    ...[
      'while read -r _ _ _ _ place _; do case $place in',
      '/usr | /usr/* | /bin | /sbin | /lib* | /opt | /nix* | /gnu*)',
    ],
    ...[`echo "$place ${root}$place none bind,ro" ;;`, 'esac; done </proc/self/mountinfo'],
    ...tmpfs(hidden, '0755'),
    ...tmpfs(temporary, '1777'),
  ];
  return [
    'mount -t tmpfs -o mode=0755 tmpfs /run',
    `mkdir /run/upper /run/work ${root}`,
    `if ! mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay ${root} 2>/dev/null; then`,
    `mount --bind -o ro / ${root}`,
    `cp -a /etc /run/etc; mount --bind /run/etc ${root}/etc`,
    'fi',
    ...['{', ...fstab, '} >/run/fstab'],
    // All in one program: a process start for each would be a good part of the time that a lab takes.
    'mount --all --fstab /run/fstab',
    ...(engines === undefined
      ? []
      : [`mkdir -p ${root}${sandboxEngines}`, `mount --bind -o ro ${quoteArgument(engines)} ${root}${sandboxEngines}`]),
    `cd ${root}`,
    'pivot_root . .',
    'umount -l .',
    'cd /',
  ];
}

/** What init performs before it waits. The keys reach it through a pipe: no file of the host ever holds them. */
function initScript(keys: LabKeys, nodes: readonly string[], engines: string | undefined): string {
  const names = nodes.map((node) => quoteArgument(node));
  return [
    'set -e',
    'read -r pid rest </proc/self/stat',
    'umask 022',
    ...rootScript(engines),
    ...sshdFilesScript(keys),
    `ln -sf ${etcFiles.map((name) => `${labFolder}/${name}`).join(' ')} /etc/`,
    `mkdir ${hostNames}`,
    `for node in ${names.join(' ')}; do`,
    `echo "$node" >/proc/sys/kernel/hostname; : >"${hostNames}/$node"; unshare --uts="${hostNames}/$node" true`,
    'done',
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
