/**
 * apt with a private configuration. Its lists, cache and state are in the cache folder, and it installs no package. It
 * uses only the proxy settings of the machine's own apt, and changes nothing there. Needs no root.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheFolder } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { pause, unless } from '../../core/wait.js';
import { findProgram } from '../../setup/machine.mjs';
import { debianMirror, type Mirror } from './debian-mirror.js';

/** The suites that have cloud kernels. If two offer the same, the first is named as its origin. */
export const suites = [
  'bullseye',
  'bullseye-security',
  'bookworm',
  'bookworm-security',
  'bookworm-backports',
  'trixie',
  'trixie-security',
  'trixie-backports',
  'sid',
  'experimental',
] as const;

/** A private apt, ready to be called. */
export interface Apt {
  /** Holds its lists and state; another mirror has another folder. */
  folder: string;
  /** The download folder, also for partial files, which apt continues. */
  archives: string;
  mirror: Mirror;
}

/** Called with a line of text for the user for each progress report. */
export type OnProgress = (line: string) => void;

const next = 'see that the mirror can be reached, or name another one: MACVLAB_DEBIAN_MIRROR=http://…/debian';

/**
 * Writes the private configuration, which is named after its contents, so that runs with different mirrors are
 * separate.
 * @throws MacvlabError KERNEL_FETCH when apt, a mirror or its keyring is missing; errors of the file system
 */
export async function openApt(): Promise<Apt> {
  requirePrograms(['apt-get', 'apt-cache', 'apt-config', 'flock']);
  const mirror = debianMirror();
  const sources = sourcesList(mirror);
  const root = join(cacheFolder(), 'apt');
  const folder = join(root, createHash('sha256').update(sources).digest('hex').slice(0, 12));
  const archives = join(root, 'archives');
  for (const made of ['lists/partial', 'cache', 'state', 'none/partial']) {
    mkdirSync(join(folder, made), { recursive: true });
  }
  mkdirSync(archives, { recursive: true });
  writeWhole(join(folder, 'status'), '');
  writeWhole(join(folder, 'sources.list'), sources);
  writeWhole(join(folder, 'apt.conf'), `${await proxySettings()}${configuration(folder)}`);
  return { folder, archives, mirror };
}

function requirePrograms(names: readonly string[]): void {
  const missing = names.filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  throw new MacvlabError('KERNEL_FETCH', `kernels are fetched with apt, and ${missing.join(' and ')} is missing here`, {
    next: 'install apt, debian-archive-keyring and util-linux, or give a kernel of your own: --kernel path/to/bzImage',
  });
}

/** Writes a file that other processes may be reading. Does nothing when the file has this text already. */
function writeWhole(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  // A proxy's address may hold a password.
  writeFileSync(`${file}.${process.pid}`, text, { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

function sourcesList({ main, security, keyring }: Mirror): string {
  return suites
    .map((suite) => {
      // Before bullseye, security updates had another layout. Those releases are not supported.
      const uri = suite.endsWith('-security') ? security : main;
      return `deb [arch=amd64 signed-by=${keyring}] ${uri} ${suite} main\n`;
    })
    .join('');
}

/** The proxy settings are the only part of the machine's own apt configuration that is copied. */
async function proxySettings(): Promise<string> {
  const dump = await runProgram(['apt-config', 'dump'], { what: 'read apt’s proxy', code: 'KERNEL_FETCH', next });
  return dump.toString().replace(/^(?!Acquire::https?::).*\n/gm, '');
}

/** See apt.conf(5), and /usr/share/doc/apt/examples/configure-index for all settings. */
function configuration(folder: string): string {
  const path = (name: string) => JSON.stringify(join(folder, name));
  return `Dir::State ${path('state')};
Dir::State::Lists ${path('lists')};
Dir::State::status ${path('status')};
Dir::Cache ${path('cache')};
// One cache of the two that apt can keep: each takes 110 MB.
Dir::Cache::srcpkgcache "";
// What is planned is planned as though nothing had been downloaded.
Dir::Cache::archives ${path('none')};
Dir::Etc::SourceList ${path('sources.list')};
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
// Nothing is run as another user: only root could do that.
APT::Sandbox::User "";
// Lists are kept compressed: 80 MB instead of 220.
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::ForceHash "SHA256";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
// A mirror may be some days late, a snapshot years: signatures are checked all the same, and an old kernel is what one may
// well want to test. Nothing is installed on this machine.
Acquire::Check-Valid-Until "false";
`;
}

/** @returns the output of an apt command that writes nothing */
export async function askApt(apt: Apt, argv: readonly string[], what: string, signal?: AbortSignal): Promise<string> {
  const env = { APT_CONFIG: join(apt.folder, 'apt.conf') };
  const output = await runProgram(argv, { what, code: 'KERNEL_FETCH', next, cwd: apt.folder, env, signal });
  return output.toString();
}

/**
 * Runs an apt command that writes, one at a time on this machine. The kernel holds the lock, and releases it when the
 * command ends.
 * @param onLine receives each line of its standard output
 * @returns its standard error, also that of a successful command
 * @throws MacvlabError KERNEL_FETCH with that text when it fails; the signal's reason
 */
export async function runApt(
  apt: Apt,
  argv: readonly string[],
  options: { what: string; lock: string; cwd: string; onLine?: OnProgress; signal?: AbortSignal | undefined },
): Promise<string> {
  const { what, lock, cwd, onLine, signal } = options;
  signal?.throwIfAborted();
  const child = spawn('flock', [lock, ...argv], {
    cwd,
    env: { ...process.env, LC_ALL: 'C', APT_CONFIG: join(apt.folder, 'apt.conf') },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a separate process group, so that macvlab alone ends it as a whole.
    detached: true,
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-8000)));
  createInterface(child.stdout).on('line', (line) => onLine?.(line));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  try {
    const status = await unless(signal, Promise.race([ended, fullDisk(cwd, ended)]));
    if (status === 0) return words;
    throw new MacvlabError('KERNEL_FETCH', `could not ${what}: ${argv[0]} ended with status ${status}`, {
      evidence: `$ ${argv.join(' ')}\n${words}`,
      next,
    });
  } finally {
    endGroup(child.pid, child.exitCode ?? child.signalCode);
    await ended.catch(() => undefined);
  }
}

/** Bytes: apt is stuck if less space is free and the free space no longer changes. */
const scarce = 64 * 2 ** 20;
/** Polls of 500 ms: twice as long as apt waits for a mirror that does not answer. */
const stuckAfter = 80;

/**
 * apt's programs may wait for one another for ever when the disk is full (seen with 2.6.1, "update"). They also do when
 * the disk was full, and the incomplete files have been removed.
 * @throws Error with the C library's message for a full disk, before the work has ended
 */
async function fullDisk(folder: string, ended: Promise<unknown>): Promise<never> {
  const over = ended.then(
    () => true,
    () => true,
  );
  let before = NaN;
  let unchanged = 0;
  for (;;) {
    // The concurrent process was faster.
    if (await Promise.race([over, pause(500, ended).then(() => false)])) return new Promise(() => undefined);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    unchanged = free === before ? unchanged + 1 : 0;
    before = free;
    if (free < 65_536 || (free < scarce && unchanged >= stuckAfter)) {
      throw new Error(`${folder}: No space left on device`);
    }
  }
}

function endGroup(pid: number | undefined, ended: unknown): void {
  if (pid === undefined || ended !== null) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}
