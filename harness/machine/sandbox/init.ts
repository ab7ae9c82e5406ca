/**
 * The sandbox's init process: PID 1 of a private set of PID, mount, UTS, IPC and network namespaces. It starts as a
 * shell that reads its commands from this process, and then waits. When its standard input ends, because this process
 * closed it or was killed, it exits. Then the kernel removes every process, namespace, interface and mount of the
 * sandbox (pid_namespaces(7)).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout, within } from '../../core/wait.js';
import { quoteArgument } from '../../remote/quote.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../../remote/sshd.js';

export interface Init {
  /** Its process id in this process's PID namespace. */
  pid: number;
  process: ChildProcess;
  stdin: Writable;
}

const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];

/** The folder of the container engines' programs in a sandbox. */
export const sandboxEngines = `${labFolder}/engines`;

/** The folder of the nodes' UTS namespaces in a sandbox, each with the host name of its node. */
export const hostNames = '/run/uts';

/**
 * Starts a sandbox and waits until its root, files and namespaces exist.
 * @param engines the folder of this machine that holds the container engines' programs
 * @throws MacvlabError LAB_OPEN with the failing program's stderr
 */
export async function startInit(keys: LabKeys, nodes: readonly string[], engines?: string): Promise<Init> {
  // A separate session (setsid): Ctrl-C must reach only the harness, which then ends the lab in order.
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
    const pid = await within(answered, { what: 'the sandbox’s init process', deadline: timeout(20_000) });
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
    await within(ended, { what: 'the sandbox to end', deadline: timeout(5000) });
  } catch {
    process.kill(init.pid, 'SIGKILL');
    await within(ended, { what: 'the killed sandbox to end', deadline: timeout(5000) });
  }
}

/** The sandbox's root while it is assembled, on a tmpfs that only the sandbox sees. */
const root = '/run/root';

/**
 * Folders with users' data, which programs do not need. A sandbox has its own, empty ones. sshd runs /etc/ssh/sshrc
 * before every command, and no setting prevents this.
 */
const hidden = ['/root', '/home', '/srv', '/mnt', '/media', '/etc/ssh', '/dev/shm', '/run'];
/** The same, writable for all users. */
const temporary = ['/tmp', '/var/tmp'];

/**
 * The sandbox's own root: the machine's root below an overlay in memory, so that writes in a node do not change this
 * machine. If the kernel allows no further overlay (fs/overlayfs: FILESYSTEM_MAX_STACK_DEPTH), the root is read-only
 * except for /etc. Users' folders are left out, and so are file systems that are mounted outside the folders of
 * programs.
 */
function rootScript(engines: string | undefined): string[] {
  const tmpfs = (folders: readonly string[], mode: string) =>
    folders.map((name) => `[ ! -d ${name} ] || echo "tmpfs ${root}${name} tmpfs mode=${mode},nosuid"`);
  const fstab = [
    `echo 'proc ${root}/proc proc nosuid,nodev,noexec'`,
    // sysfs shows the sandbox's own network namespace.
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
    // One program mounts all: a process for each would take a large part of a lab's start time.
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

/** The commands that init runs before it waits. The keys reach it through a pipe, so that no file of the host contains them. */
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
    // From here on init only waits for the end of its input. Orphans in the sandbox become its children. While it
    // ignores SIGCHLD, the kernel reaps them (wait(2), notes). A shell cannot ignore it by itself: dash catches that
    // signal.
    'if env --ignore-signal=CHLD true 2>/dev/null; then exec env --ignore-signal=CHLD cat >/dev/null; fi',
    'exec cat >/dev/null',
    '',
  ].join('\n');
}
