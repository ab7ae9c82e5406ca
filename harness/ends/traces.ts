/** All that a run could leave on a machine, as lines of text that can be compared: what is there behind it was there before. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Places {
  /** TMPDIR of the runs. */
  temporary: string;
  /** MACVLAB_STATE of the runs. */
  state: string;
  /** The cache, of which only what is unfinished counts. */
  cache: string;
  /** Folder of a container engine's own data. */
  engine?: string | undefined;
}

/** Everything that is there now. */
export function traces({ temporary, state, cache, engine }: Places): Set<string> {
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

/** A folder that is not yet an entry (harness/core/cache.ts), or a file that is not yet renamed, with its writer's process id. */
const unfinished = /\.part$|\.json\.\d+$/;

/** Two things that look alike are two: a mount above its like. */
function numbered(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return lines.map((line) => {
    const count = (counts.get(line) ?? 0) + 1;
    counts.set(line, count);
    return count === 1 ? line : `${line} (${count})`;
  });
}

/** Processes of this PID namespace; what has ended and is not reaped is none. */
function processes(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const state = /^\S+ \(.*\) (\S) (\d+)/s.exec(read(`/proc/${pid}/stat`));
    const [, letter, parent] = state ?? [];
    if (letter === undefined || letter === 'Z' || letter === 'X') return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    // A thread of the kernel, or a program that we have started ourselves and not waited for yet.
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

/** What `ip -d -j` shows, an object a line, and whether it forwards. @param entering words in front of the command */
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
  // Its number, its parent's and its device's are of no meaning.
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

/** What an engine keeps on its disk and in its namespaces. */
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

/** Paths below a folder, so many levels deep. */
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

/** A file of /proc, whose process may end in this moment. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
