/** All that a run could leave on a machine, as lines of text that can be compared: what is there behind it was there before. */
import { execFileSync } from 'node:child_process';
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
  return new Set([
    ...processes(),
    ...network('the machine'),
    ...mounts('the machine', 'self'),
    ...sockets(),
    ...files(temporary, 3).map((file) => `temporary file ${file}`),
    ...files(state, 2).map((file) => `state file ${file}`),
    ...files(cache, 2)
      .filter((file) => file.endsWith('.part'))
      .map((file) => `unfinished in the cache: ${file}`),
    ...(engine === undefined ? [] : engineTraces(engine)),
  ]);
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
  ['neighbour', 'show'],
  ['netns', 'list'],
];

/** What `ip -d -j` shows, an object a line. @param entering words in front of the command */
function network(where: string, entering: readonly string[] = []): string[] {
  return questions.flatMap((question) => {
    const [program = '', ...rest] = [...entering, 'ip', '-d', '-j', ...question];
    const answer = execFileSync(program, rest, { encoding: 'utf8' }).trim();
    const objects = answer === '' ? [] : (JSON.parse(answer) as unknown[]);
    return objects.map((object) => `ip ${question.join(' ')} of ${where}: ${JSON.stringify(object)}`);
  });
}

function mounts(where: string, pid: string): string[] {
  const lines = read(`/proc/${pid}/mountinfo`).trim().split('\n');
  // Its number, its parent's and its device's are of no meaning.
  return lines.map((line) => `mount of ${where}: ${line.split(' ').slice(3).join(' ')}`);
}

/** Sockets that listen, and locks in the abstract namespace. */
function sockets(): string[] {
  const named = read('/proc/net/unix').match(/@\S*macvlab\S*$/gm) ?? [];
  const listening = ['tcp', 'tcp6'].flatMap((kind) => read(`/proc/net/${kind}`).match(/^.*:.* 0A .*$/gm) ?? []);
  const bound = ['udp', 'udp6'].flatMap((kind) => read(`/proc/net/${kind}`).match(/^ +\d+: .*$/gm) ?? []);
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
