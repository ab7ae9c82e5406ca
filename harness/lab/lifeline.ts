/**
 * What a lab lives by on a machine that is reached by ssh: one connection, whose end makes the kernel end all processes of the lab
 * there and take its namespaces with them (pid_namespaces(7)), whether it was closed, lost, or this process killed.
 */
import { patience, pause, within } from '../core/wait.js';
import { quoteArgument } from '../remote/quote.js';
import { etcFiles, labFolder, type LabKeys, sshdCommand, sshdFilesScript } from './sshd.js';
import type { Entered } from './ssh-way.js';

/**
 * The command that is started over the connection: it performs the script that it reads, and then waits for the end of its input.
 * @param after shell words performed when all of it has ended
 */
export function lifeline(after = ''): string[] {
  const unshare = 'unshare --mount --uts --ipc --pid --fork --kill-child --propagation private -- sh -s';
  return ['sh', '-c', [`trap '' HUP PIPE; ${unshare}`, after].filter(Boolean).join('; ')];
}

/** What a machine says when it lacks programs. */
export const lacking = 'the machine lacks:';

const programs = ['ip', 'bridge', 'tcpdump', 'ping', 'arping', 'nsenter', 'unshare', 'mount', '/usr/sbin/sshd', 'grep'];

export interface LifelineScript {
  /** The machine’s name in its own UTS namespace. */
  name: string;
  keys: LabKeys;
  /** Network namespaces that are made, below /run/netns of the lab’s own mount namespace. */
  namespaces: readonly string[];
  /** Programs that must be there, besides those that every node needs. */
  needs?: readonly string[];
  /** Package managers, of which it says which it has when it lacks programs. */
  managers?: readonly string[];
  /** Lines of the shell’s, performed last. */
  more?: readonly string[];
  /** Seconds without a sign of life from us until it ends; without, only the connection’s end ends it. */
  silence?: number;
}

/** The script; its last line of output is "ready" with the process id of the lab's first process there, and the kernel's release. */
export function lifelineScript(options: LifelineScript): string {
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
    // sshd performs the machine's /etc/ssh/sshrc in front of every command, and no setting keeps it from that.
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

/** A machine does not notice by itself that the network has gone between us: nothing tells sshd for two hours (tcp(7)). */
function untilSilence(seconds: number): string {
  return `while [ -n "$(timeout ${seconds} head -c 1)" ]; do :; done; exit 0`;
}

/** What holds the lab on a machine: the process id of its first process, as the machine sees it, and the kernel’s release. */
export interface Lifeline {
  held: Entered;
  init: number;
  release: string;
  /** What the script said before it was ready. */
  said: string;
}

/** Milliseconds that a machine may take for the script. */
const setUpDeadline = 60_000;

/**
 * Has the script performed.
 * @param options.slowness how many times as long as usual the machine takes for everything
 * @throws MacvlabError WAIT_DEADLINE, the signal’s reason, or an Error; the connection is ended then, and `held.words()` tells why
 */
export async function begin(
  held: Entered,
  script: LifelineScript,
  { slowness = 1, signal }: { slowness?: number; signal?: AbortSignal | undefined } = {},
): Promise<Lifeline> {
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
  held.socket.write(lifelineScript(script));
  try {
    const what = `${script.name} to be set up`;
    const { init, release } = await within(answered, { what, deadline: patience(setUpDeadline) * slowness, signal });
    if (script.silence !== undefined) void beat(held, (script.silence * 1000) / 10);
    return { held, init, release, said };
  } catch (error) {
    held.socket.destroy();
    throw error;
  }
}

/** The last line that the script prints, and what stands there: a process id and the kernel’s release; undefined without one. */
export function readyIn(said: string): { init: number; release: string } | undefined {
  // No kernel has process ids of more digits (proc(5), pid_max).
  const [, pid, release] = /^ready (\d{1,10}) (\S{1,256})$/m.exec(said) ?? [];
  return pid === undefined || release === undefined ? undefined : { init: Number(pid), release };
}

/** Gives signs of life, as long as there is somebody to take them. */
export async function beat({ socket, ended }: Entered, milliseconds: number): Promise<void> {
  while (socket.writable) {
    socket.write('.');
    await pause(milliseconds, ended);
  }
}

/** The command that serves one SSH session in the lab: in the machine’s own network, or in a namespace that the lab has made. */
export function serveInside(init: number, namespace?: string): string[] {
  const inside = ['nsenter', '--target', String(init), '--mount', '--uts', '--ipc', '--pid', '--'];
  const network = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
  return [...inside, ...network, ...sshdCommand(), '-i'];
}
