/**
 * The connection that keeps a lab running on a machine over ssh. When it ends, the kernel ends all processes of the lab
 * there, and its namespaces with them (pid_namespaces(7)). This also applies if the connection is lost or this process
 * is killed.
 */
import { timeout, pause, within } from '../core/wait.js';
import { quoteArgument } from './quote.js';
import { etcFiles, labFolder, type LabKeys, sshdCommand, sshdFilesScript } from './sshd.js';
import type { RemoteShell } from './ssh-way.js';

/**
 * The command that is started over the connection. It runs the script that it reads, and then waits for the end of its
 * input.
 * @param after shell words to run when all of it has ended
 */
export function tether(after = ''): string[] {
  const unshare = 'unshare --mount --uts --ipc --pid --fork --kill-child --propagation private -- sh -s';
  return ['sh', '-c', [`trap '' HUP PIPE; ${unshare}`, after].filter(Boolean).join('; ')];
}

/** The prefix of a machine's report of missing programs. */
export const lacking = 'the machine lacks:';

const programs = ['ip', 'bridge', 'tcpdump', 'ping', 'arping', 'nsenter', 'unshare', 'mount', '/usr/sbin/sshd', 'grep'];

export interface TetherScript {
  /** The machine’s name in its own UTS namespace. */
  name: string;
  keys: LabKeys;
  /** The network namespaces to create, below /run/netns of the lab’s own mount namespace. */
  namespaces: readonly string[];
  /** Required programs, in addition to those that every node needs. */
  needs?: readonly string[];
  /** Package managers; with missing programs, the machine reports which of these it has. */
  managers?: readonly string[];
  /** Shell lines, run last. */
  more?: readonly string[];
  /** Seconds without a sign of life from macvlab until it ends; by default, only the connection’s end ends it. */
  silence?: number;
}

/** The script; its last line of output is "ready" with the process id of the lab's first process there, and the kernel's release. */
export function tetherScript(options: TetherScript): string {
  const { name, keys, namespaces, needs = [], managers = [], more = [], silence } = options;
  const needed = [...programs, ...needs, ...(silence === undefined ? [] : ['timeout', 'head'])];
  return [
    'set -e',
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C',
    'read -r pid rest </proc/self/stat',
    'umask 022',
    'missing=',
    `for name in ${needed.join(' ')}; do command -v "$name" >/dev/null || missing="$missing $name"; done`,
    'managers=',
    ...managers.map((each) => `! command -v ${each} >/dev/null || managers="$managers ${each}"`),
    `[ -z "$missing" ] || { echo "${lacking}$missing\${managers:+ (it has$managers)}" >&2; exit 1; }`,
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run',
    ...sshdFilesScript(keys),
    ...etcFiles.map((file) => `[ ! -e /etc/${file} ] || mount --bind ${labFolder}/${file} /etc/${file}`),
    // sshd runs the machine's /etc/ssh/sshrc before every command, and has no setting that prevents this.
    `[ ! -e /etc/ssh ] || mount --bind ${labFolder}/empty /etc/ssh`,
    `echo ${quoteArgument(name)} >/proc/sys/kernel/hostname`,
    ...namespaces.flatMap((each) => [`ip netns add ${each}`, `ip -n ${each} link set dev lo up`]),
    ...more,
    'echo "ready $pid $(uname -r)"',
    ...(silence === undefined ? untilTheEnd : [untilSilence(silence)]),
    '',
  ].join('\n');
}

const untilTheEnd = [
  'if env --ignore-signal=CHLD true 2>/dev/null; then exec env --ignore-signal=CHLD cat >/dev/null; fi',
  'exec cat >/dev/null',
];

/** A machine does not detect by itself that the network connection is lost: sshd receives no error for two hours (tcp(7)). */
function untilSilence(seconds: number): string {
  return `while [ -n "$(timeout ${seconds} head -c 1)" ]; do :; done; exit 0`;
}

/** The process that holds the lab on a machine: its process id there, and the kernel’s release. */
export interface Tether {
  held: RemoteShell;
  init: number;
  release: string;
  /** The script's output before it was ready. */
  said: string;
}

/** Milliseconds for the script. */
const setUpDeadline = 60_000;

/**
 * Runs the script.
 * @param options.slowness the factor by which the machine is slower than usual
 * @throws MacvlabError WAIT_DEADLINE, the signal’s reason, or an Error; the connection is ended then, and
 *   `held.words()` returns the cause
 */
export async function begin(
  held: RemoteShell,
  script: TetherScript,
  { slowness = 1, signal }: { slowness?: number; signal?: AbortSignal | undefined } = {},
): Promise<Tether> {
  let said = '';
  const answered = new Promise<ReturnType<typeof readyIn> & object>((resolve, reject) => {
    held.socket.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-65_536);
      const answer = readyIn(said);
      if (answer) resolve(answer);
    });
    held.socket.on('error', () => undefined);
    void held.ended.then(() => reject(new Error('its shell has ended')));
  });
  held.socket.write(tetherScript(script));
  try {
    const what = `${script.name} to be set up`;
    const { init, release } = await within(answered, { what, deadline: timeout(setUpDeadline) * slowness, signal });
    if (script.silence !== undefined) void beat(held, (script.silence * 1000) / 10);
    return { held, init, release, said };
  } catch (error) {
    held.socket.destroy();
    throw error;
  }
}

/** The values in the script's last line: a process id and the kernel’s release; undefined without that line. */
export function readyIn(said: string): { init: number; release: string } | undefined {
  // No kernel has process ids with more digits (proc(5), pid_max).
  const [, pid, release] = /^ready (\d{1,10}) (\S{1,256})$/m.exec(said) ?? [];
  return pid === undefined || release === undefined ? undefined : { init: Number(pid), release };
}

/** Sends signs of life, until the connection ends. */
export async function beat({ socket, ended }: RemoteShell, milliseconds: number): Promise<void> {
  while (socket.writable) {
    socket.write('.');
    await pause(milliseconds, ended);
  }
}

/** The command that serves one SSH session in the lab: in the machine’s own network, or in a namespace of the lab. */
export function serveInside(init: number, namespace?: string): string[] {
  const inside = ['nsenter', '--target', String(init), '--mount', '--uts', '--ipc', '--pid', '--'];
  const network = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
  return [...inside, ...network, ...sshdCommand(), '-i'];
}
