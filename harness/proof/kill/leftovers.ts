/** All possible leftovers of a run on a machine, as lines of text. The lines before and after a run can be compared. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Places {
  /** TMPDIR of the runs. */
  temporary: string;
  /** MACVLAB_STATE of the runs. */
  state: string;
  /** The cache. Only its unfinished entries count. */
  cache: string;
  /** The data folder of a container engine. */
  engine?: string | undefined;
}

/** All present leftovers. */
export function leftoversOn({ temporary, state, cache, engine }: Places): Set<string> {
  return new Set(
    numbered([
      ...processes(),
      ...network('the machine'),
      ...mounts('the machine', 'self'),
      ...sockets(),
      ...files(temporary, 3).map((file) => `temporary file ${file}`),
      ...files(state, 2).map((file) => `state file ${file}`),
      ...files(cache, 2)
        .filter((file) => unfinished.test(file))
        .map((file) => `unfinished in the cache: ${file}`),
      ...(engine === undefined ? [] : engineTraces(engine)),
    ]),
  );
}

/** A cache folder that is not yet an entry (harness/core/cache.ts), or a file before its rename, with its writer's process id. */
const unfinished = /\.part$|\.json\.\d+$/;

/** Numbers equal lines, so that both count: a mount on top of an equal mount. */
function numbered(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return lines.map((line) => {
    const count = (counts.get(line) ?? 0) + 1;
    counts.set(line, count);
    return count === 1 ? line : `${line} (${count})`;
  });
}

/** Processes of this PID namespace, without those that have ended but are not reaped. */
function processes(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const state = /^\S+ \(.*\) (\S) (\d+)/s.exec(read(`/proc/${pid}/stat`));
    const [, letter, parent] = state ?? [];
    if (letter === undefined || letter === 'Z' || letter === 'X') return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    // A kernel thread, or a program that this process has started and not yet waited for.
    if (command === '') return [];
    return [`process ${pid} (child of ${parent}): ${command.slice(0, 160)}`];
  });
}

const questions = [
  ['link', 'show'],
  ['address', 'show'],
  ['route', 'show', 'table', 'all'],
  ['-6', 'route', 'show', 'table', 'all'],
  ['rule', 'show'],
  ['-6', 'rule', 'show'],
  ['neighbour', 'show'],
  ['netns', 'list'],
];

const settings = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];

/** The objects that `ip -d -j` shows, one per line, and whether IP forwarding is on. @param entering words before the command */
function network(where: string, entering: readonly string[] = []): string[] {
  const forwarding = settings.map((name) => {
    const argv = [...entering, 'cat', `/proc/sys/${name}`];
    return `setting ${name} of ${where}: ${spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' }).stdout.trim()}`;
  });
  const shown = questions.flatMap((question) => {
    const [program = '', ...rest] = [...entering, 'ip', '-d', '-j', ...question];
    const answer = execFileSync(program, rest, { encoding: 'utf8' }).trim();
    const objects = answer === '' ? [] : (JSON.parse(answer) as unknown[]);
    return objects.map((object) => `ip ${question.join(' ')} of ${where}: ${JSON.stringify(object)}`);
  });
  return [...forwarding, ...shown];
}

function mounts(where: string, pid: string): string[] {
  const lines = read(`/proc/${pid}/mountinfo`).trim().split('\n');
  // The first fields have no meaning: the ids of the mount, of its parent and of its device.
  return lines.map((line) => `mount of ${where}: ${line.split(' ').slice(3).join(' ')}`);
}

/** Sockets that listen, and all others that have a name and are not connected (SS_UNCONNECTED), such as abstract locks. */
function sockets(): string[] {
  const unix = read('/proc/net/unix').matchAll(/^\S+: \S+ \S+ \S+ \S+ 01 +\d+ (\S.*)$/gm);
  const named = [...unix].map(([, name = '']) => `unix ${name}`);
  const listening = ['tcp', 'tcp6'].flatMap((kind) => read(`/proc/net/${kind}`).match(/^.*:.* 0A .*$/gm) ?? []);
  const bound = ['udp', 'udp6'].flatMap((kind) => read(`/proc/net/${kind}`).match(/^ *\d+: .*$/gm) ?? []);
  return [...named, ...listening, ...bound].map((line) => `socket ${line.trim()}`);
}

/** The data of an engine on its disk and in its namespaces. */
function engineTraces(folder: string): string[] {
  const pid = readdirSync('/proc').find((each) => /^(dockerd|podman)\0/.test(read(`/proc/${each}/cmdline`)));
  const data = join(folder, 'data-root');
  const stores = [
    'overlay2',
    'vfs/dir',
    'containers',
    'volumes',
    'image/overlay2/imagedb/content/sha256',
    'image/vfs/imagedb/content/sha256',
  ];
  return [
    ...stores.flatMap((store) => files(join(data, store), 1).map((file) => `of the engine: ${file}`)),
    ...files(join(folder, 'exec-root', 'containerd', 'daemon', 'io.containerd.runtime.v2.task'), 2),
    ...(pid === undefined ? ['the engine is gone'] : []),
    ...(pid === undefined ? [] : mounts('the engine', pid)),
    ...(pid === undefined ? [] : network('the engine', ['nsenter', '--net', '--target', pid, '--'])),
  ];
}

/** Paths below a folder, down to this many levels. */
function files(folder: string, depth: number): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return [path, ...(entry.isDirectory() && depth > 1 ? files(path, depth - 1) : [])];
    });
  } catch {
    return [];
  }
}

/** The text of a file in /proc; empty if its process has just ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
