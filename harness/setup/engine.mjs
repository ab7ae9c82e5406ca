/**
 * A container engine of our own, for tests, from the engine programs of labs (engines.mjs). It has process, mount and
 * network namespaces of its own, and all its files in one folder. It does not touch the machine's engine, network or
 * control groups. It ends with its standard input, and so with the process that started it, even if that is killed.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheFolder, entries } from './guests.mjs';
import { SetupError } from './report.mjs';

/** @typedef {'docker' | 'podman'} EngineKind */

/**
 * @typedef {object} OwnEngine
 * @property {string} host in the form of DOCKER_HOST
 * @property {() => Promise<void>} stop ends it, and removes everything that it has created
 */

/** Milliseconds until it must be ready; a healthy engine takes a second or two. */
const startDeadline = 120_000;

/** The path of its folder in its own root. */
const own = '/mnt';

const socket = 'engine.sock';
const log = 'log';

/**
 * Each engine's command line. Containers run without control groups, which would outlive a killed engine.
 * @type {Record<EngineKind, string[]>}
 */
const engines = {
  docker: [
    ...['dockerd', `--host=unix://${own}/${socket}`, '--default-runtime=nocgroups'],
    ...['data-root', 'exec-root', 'pidfile'].map((name) => `--${name}=${own}/${name}`),
    ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    '--userland-proxy=false',
  ],
  podman: [
    'podman',
    `--root=${own}/root`,
    '--log-level=info',
    'system',
    'service',
    '--time=0',
    `unix://${own}/${socket}`,
  ],
};

/** The messages that engines print when they can be used. */
const ready = /API listen on |API service listening on /;

/**
 * The first process of its namespaces. When the standard input ends, it ends the engine in order and removes its files
 * except the log. Its own end ends all else.
 */
const init = `
set -e
ip link set lo up
cd "$1"
mount --bind . .
cd "$PWD"
mount -o remount,bind,ro .
for each in dev sys; do mount --rbind /$each $each; done
mount -t proc proc proc
for each in dev/shm run tmp var etc/containers/networks; do mount -t tmpfs -o mode=0755 tmpfs $each; done
mkdir -p run/lock var/tmp
ln -s /run var/run
mount --bind "$2" .${own}
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -o remount,bind,ro sys/fs/cgroup
shift 2
mkdir tmp/old
# no chroot: who is led into a container's namespaces would find the machine's own root there
pivot_root . tmp/old
cd /
umount -l /tmp/old
exec 3<&0
"$@" </dev/null 3<&- &
engine=$!
{ cat <&3 >/dev/null; kill -TERM $engine; } &
status=0
wait $engine || status=$?
# who started it may be gone, and would leave all of its files
umount -l ${own}/data-root 2>/dev/null || true
find ${own} -mindepth 1 -maxdepth 1 ! -name ${log} -exec rm -rf {} + 2>/dev/null || true
exit $status`;

/**
 * The newest folder with the engines' programs.
 * @returns {string | undefined}
 */
function programs() {
  const folder = path.join(cacheFolder(), 'engines');
  const trees = entries(folder)
    .map((name) => path.join(folder, name, 'root'))
    .filter((tree) => existsSync(tree));
  return trees.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/**
 * Why no engine can be started here; undefined if one can.
 * @returns {string | undefined}
 */
export function whyNoEngine() {
  if (process.getuid?.() !== 0) return 'not root';
  return programs() === undefined
    ? 'no programs of container engines; `macvlab lab prepare --engines` gets them'
    : undefined;
}

/**
 * Starts an engine.
 * @param {EngineKind} [kind]
 * @returns {Promise<OwnEngine>}
 * @throws {SetupError} with the last lines of its log
 */
export async function startEngine(kind = 'docker') {
  const [why, tree] = [whyNoEngine(), programs()];
  if (why !== undefined || tree === undefined) {
    throw new SetupError(
      `no container engine can be started: ${why}`,
      'run as root: npx macvlab lab prepare --engines',
    );
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'macvlab-engine-'));
  const words = openSync(path.join(folder, log), 'a');
  const namespaces = [
    '--mount',
    '--pid',
    '--net',
    '--uts',
    '--ipc',
    '--fork',
    '--kill-child',
    '--propagation',
    'private',
  ];
  const child = spawn('unshare', [...namespaces, '--', 'sh', '-c', init, 'init', tree, folder, ...engines[kind]], {
    stdio: ['pipe', words, words],
    // not in the terminal's process group: Ctrl-C must reach the parent process, which ends it in order
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C' },
  });
  closeSync(words);
  child.stdin?.on('error', () => undefined);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.stdin?.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listens(child, folder);
    return { host: `unix://${folder}/${socket}`, stop };
  } catch (error) {
    const last = readFileSync(path.join(folder, log), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    await stop();
    throw new SetupError(
      `a container engine (${kind}) could not be started: ${error instanceof Error ? error.message : String(error)}\n${last}`,
      'look at its words above',
    );
  }
}

/**
 * Waits until an engine has reported that it listens. Its socket exists a moment earlier.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} folder
 */
async function listens(child, folder) {
  const tooLate = AbortSignal.timeout(startDeadline);
  const watcher = watch(folder);
  try {
    await new Promise((resolve, reject) => {
      const look = () => ready.test(readFileSync(path.join(folder, log), 'utf8')) && resolve(undefined);
      watcher.on('change', look).on('error', reject);
      child.once('error', reject);
      child.once('close', () => reject(new Error('it has ended')));
      tooLate.addEventListener('abort', () => reject(new Error('it does not listen')));
      look();
    });
  } finally {
    watcher.close();
  }
}
