/**
 * A container engine of our own, for tests: dockerd in process, mount and network namespaces of its own and with all its files in
 * a folder of its own, so that neither the machine's engine nor its network is touched. It ends with its standard input, and so
 * with whoever started it, however that ends.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from './machine.mjs';
import { installCommand } from './packages.mjs';
import { SetupError } from './report.mjs';

/**
 * @typedef {object} OwnEngine
 * @property {string} host as DOCKER_HOST has it
 * @property {() => Promise<void>} stop ends it, and removes all that it has made
 */

/** Milliseconds until it must answer; one that is well takes two seconds. */
const startDeadline = 120_000;

const settings = 'daemon.json';

/** The last line of its log before it can be used. */
const listening = /msg="API listen on /;

/** The first process of its namespaces: ends dockerd in order when the standard input ends, and all else by ending itself. */
const init = `
mount -t proc proc /proc
ip link set lo up
exec 3<&0
"$@" </dev/null 2>&1 3<&- &
engine=$!
{ cat <&3 >/dev/null; kill -TERM $engine; } &
wait $engine`;

/**
 * Why no engine can be started here; undefined when one can.
 * @returns {string | undefined}
 */
export function whyNoEngine() {
  if (process.getuid?.() !== 0) return 'not root';
  return findProgram('dockerd') === undefined ? 'dockerd not installed' : undefined;
}

/**
 * Starts an engine.
 * @returns {Promise<OwnEngine>}
 * @throws {SetupError} with its last words
 */
export async function startEngine() {
  const why = whyNoEngine();
  if (why !== undefined) {
    const next = installCommand(['dockerd']) ?? 'install docker';
    throw new SetupError(`no container engine can be started: ${why}`, `run as root: ${next}`);
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'macvlab-engine-'));
  const groups = path.basename(folder);
  const host = `unix://${folder}/docker.sock`;
  // in place of the machine's own settings
  writeFileSync(path.join(folder, settings), '{}\n');
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--propagation', 'private'];
  const child = spawn('unshare', [...namespaces, '--', 'sh', '-c', init, 'init', ...dockerd(folder, host, groups)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // its processes are no part of the terminal's: Ctrl-C must reach whoever started it, which ends it in order
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let log = '';
  const ready = new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      log = (log + text).slice(-20_000);
      if (listening.test(log)) resolve(undefined);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error('it ended')));
    AbortSignal.timeout(startDeadline).addEventListener('abort', () => reject(new Error('it does not listen')));
  });
  child.stdin.on('error', () => undefined);
  const stop = async () => {
    child.stdin.end();
    await ended;
    removeGroups(groups);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    const last = log.trimEnd().split('\n').slice(-5).join('\n');
    throw new SetupError(
      `a container engine could not be started: ${error instanceof Error ? error.message : String(error)}\n${last}`,
      'look at what dockerd says above',
    );
  }
  return { host, stop };
}

/**
 * The command line of an engine that makes no bridge, no firewall rule and no setting.
 * @param {string} folder
 * @param {string} host
 * @param {string} groups
 */
function dockerd(folder, host, groups) {
  const files = ['data-root', 'exec-root', 'pidfile'].map((name) => `--${name}=${folder}/${name}`);
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
  const control = ['--exec-opt=native.cgroupdriver=cgroupfs', `--cgroup-parent=/${groups}`];
  return ['dockerd', `--host=${host}`, `--config-file=${folder}/${settings}`, ...files, ...network, ...control];
}

/**
 * Removes the control groups of containers that are gone: the kernel keeps empty ones.
 * @param {string} name
 */
function removeGroups(name) {
  const top = '/sys/fs/cgroup';
  for (const folder of [top, ...folders(top)].map((each) => path.join(each, name))) removeTree(folder);
}

/** @param {string} folder */
function removeTree(folder) {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const each of folders(folder)) removeTree(each);
  try {
    rmdirSync(folder);
  } catch {
    // something lives there after all
  }
}

/** @param {string} folder */
function folders(folder) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
  } catch {
    return [];
  }
}
