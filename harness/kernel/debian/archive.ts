/** Debian packages from the archive: lists them, and downloads and verifies them. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asCacheError, cacheFolder } from '../../core/cache.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { type Apt, askApt, type OnProgress, openApt, runApt, suites } from './apt.js';

export interface FetchOptions {
  /** Packages are taken only from this suite; default: any suite that has the named version, or the newest. */
  suite?: string | undefined;
  /** Its purpose, as shown to the user: "kernel 6.1.0-56-cloud-amd64". */
  name?: string;
  /** Downloads the lists of packages even if they are recent. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/** Milliseconds after which lists are downloaded again: a day. */
const listsAge = 86_400_000;

/** Milliseconds after which an unused download is removed: a day. */
const downloadAge = 86_400_000;

/**
 * Opens the archive, with lists of packages that are less than a day old; older ones are used where the mirror cannot
 * be reached.
 * @throws MacvlabError KERNEL_FETCH when there are no lists; CACHE_NOT_WRITABLE
 */
export async function openArchive(options: Pick<FetchOptions, 'refresh' | 'signal' | 'onProgress'> = {}): Promise<Apt> {
  const { refresh, signal, onProgress } = options;
  try {
    const apt = await openApt();
    const updated = listsUpdated(apt);
    if (refresh || updated === undefined || Date.now() - updated > listsAge) await updateLists(apt, signal, onProgress);
    return apt;
  } catch (error) {
    throw asCacheError(error, join(cacheFolder(), 'apt'));
  }
}

/** When the lists were downloaded, in milliseconds since 1970; undefined without lists. */
export function listsUpdated({ folder }: Apt): number | undefined {
  return statSync(join(folder, 'updated'), { throwIfNoEntry: false })?.mtimeMs;
}

/** The suites with lists. */
function listedSuites({ folder }: Apt): string[] {
  const names = readdirSync(join(folder, 'lists'));
  return suites.filter((suite) => names.some((name) => name.includes(`_dists_${suite}_main_binary-amd64_Packages`)));
}

async function updateLists(apt: Apt, signal?: AbortSignal, onProgress?: OnProgress): Promise<void> {
  onProgress?.(`fetching the lists of Debian’s packages from ${apt.mirror.main}`);
  const words = await update(apt, signal);
  const listed = listedSuites(apt);
  const absent = suites.filter((suite) => !listed.includes(suite));
  if (listed.length === 0) {
    throw new MacvlabError('KERNEL_FETCH', `no list of Debian’s packages could be fetched from ${apt.mirror.main}`, {
      evidence: firstLines(words),
      next: 'see that the mirror can be reached, or name another one: MACVLAB_DEBIAN_MIRROR=http://…/debian',
    });
  }
  // apt reports a missing suite in other words.
  const unreachable = words.split('\n').find((line) => /^[EW]: Failed to fetch/.test(line) && !/ 404 /.test(line));
  if (unreachable !== undefined) onProgress?.(`going on with the lists that are there: ${unreachable.slice(3)}`);
  else writeFileSync(join(apt.folder, 'updated'), '');
  if (absent.length > 0) onProgress?.(`the mirror has no ${absent.join(', ')}: going on without`);
}

/** Ten suites fail in the same way. */
function firstLines(words: string): string {
  return words.split('\n').slice(0, 3).join('\n');
}

/** @returns apt's error messages; a suite that the mirror lacks is an error for apt, but not here */
async function update(apt: Apt, signal?: AbortSignal): Promise<string> {
  const what = 'fetch the lists of packages';
  try {
    return await runApt(apt, ['apt-get', '-q', 'update'], { what, lock: 'lock', cwd: apt.folder, signal });
  } catch (error) {
    const full = /No space left on device/.test(
      error instanceof MacvlabError ? (error.evidence ?? '') : messageOf(error),
    );
    // Partial files would keep the disk full.
    if (full) rmSync(join(apt.folder, 'lists/partial'), { recursive: true, force: true });
    if (full || signal?.aborted || !(error instanceof MacvlabError)) throw error;
    return error.evidence ?? '';
  }
}

/** A file of the archive. */
interface Download {
  file: string;
  /** In apt's notation: "linux-image-6.1.0-56-cloud-amd64=6.1.192-2". */
  package: string;
  bytes: number;
  sha256: string;
}

/**
 * Downloads packages, without their dependencies. Partial downloads are continued. Each file is checked against the
 * signed lists before it appears in the folder.
 * @param names names of packages, also with a version: "linux-base=4.12"
 * @returns the .deb files
 * @throws MacvlabError KERNEL_FETCH
 */
export async function fetchPackages(
  names: readonly string[],
  folder: string,
  options: FetchOptions = {},
): Promise<string[]> {
  const apt = await openArchive(options);
  const only = restriction(apt, options.suite);
  const plan = await planned(apt, ['apt-get', ...only, '--print-uris', 'download', ...names], options.signal);
  return download(apt, plan, folder, options);
}

/**
 * Downloads packages and all their dependencies from one suite, as if nothing were installed. Recommended packages are
 * left out. So are essential ones that no package depends on (dash, base-files): name them.
 * @returns the .deb files
 * @throws MacvlabError KERNEL_FETCH
 */
export async function fetchWithDependencies(
  names: readonly string[],
  suite: string,
  folder: string,
  options: Omit<FetchOptions, 'suite'> = {},
): Promise<string[]> {
  const apt = await openArchive(options);
  const only = restriction(apt, suite);
  const argv = ['apt-get', ...only, '-qq', '-y', '--no-install-recommends', '--print-uris', 'install', ...names];
  return download(apt, await planned(apt, argv, options.signal), folder, options);
}

/** Arguments that hide all suites but one. */
function restriction({ folder }: Apt, suite: string | undefined): string[] {
  if (suite === undefined) return [];
  const file = join(folder, `only-${suite}`);
  // Experimental has another codename (rc-buggy).
  const wanted = suite === 'experimental' ? 'a=experimental' : `n=${suite}`;
  const pins = [
    `Package: *\nPin: release ${wanted}\nPin-Priority: 990\n`,
    'Package: *\nPin: release *\nPin-Priority: -1\n',
  ];
  writeFileSync(file, pins.join('\n'));
  return ['-o', `Dir::Etc::Preferences=${file}`];
}

async function planned(apt: Apt, argv: readonly string[], signal?: AbortSignal): Promise<Download[]> {
  return readPlan(await askApt(apt, argv, 'find the packages in the archive', signal));
}

/** Reads `'uri' file bytes SHA256:hash`, which apt prints for each file. */
export function readPlan(output: string): Download[] {
  return [...output.matchAll(/^'.*' (\w[^\s/]*) (\d{1,15}) SHA256:([0-9a-f]{64})$/gm)].map(
    ([, file = '', bytes, sha256 = '']) => {
      // In a file's name, the colon of a version's epoch is escaped.
      const [name = '', version = ''] = file.replaceAll('%3a', ':').split('_');
      return { file, package: `${name}=${version}`, bytes: Number(bytes), sha256 };
    },
  );
}

async function download(
  apt: Apt,
  plan: readonly Download[],
  folder: string,
  { name = `${plan.length} packages`, signal, onProgress }: FetchOptions,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  dropOldDownloads(apt);
  const megabytes = Math.ceil(plan.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
  onProgress?.(`fetching ${name} (${megabytes} MB)`);
  let missing = await notTaken(apt, plan, folder);
  // A download that was corrupted on the disk, or removed by another run, is repeated once; a third attempt would not
  // help.
  for (let attempt = 1; missing.length > 0; attempt++) {
    if (attempt > 2) throw garbled(missing, apt);
    const argv = ['apt-get', '-qq', '-o', 'APT::Status-Fd=1', 'download', ...missing.map((item) => item.package)];
    await runApt(apt, argv, {
      what: `fetch ${name}`,
      lock: join(apt.folder, '..', 'lock'),
      cwd: apt.archives,
      signal,
      onLine: percentages(onProgress),
    });
    missing = await notTaken(apt, missing, folder);
  }
  return plan.map(({ file }) => join(folder, file));
}

/**
 * Moves correct downloads into the folder, and returns the rest. For an existing file, apt itself checks only the size
 * (measured with 2.6.1).
 */
async function notTaken({ archives }: Apt, plan: readonly Download[], folder: string): Promise<Download[]> {
  const rest: Download[] = [];
  for (const item of plan) {
    const source = join(archives, item.file);
    const size = statSync(source, { throwIfNoEntry: false })?.size;
    if (size === item.bytes) {
      take(source, join(folder, item.file));
      if ((await sha256Of(join(folder, item.file))) === item.sha256) continue;
      for (const wrong of [source, join(folder, item.file)]) rmSync(wrong, { force: true });
    }
    rest.push(item);
  }
  return rest;
}

function take(source: string, target: string): void {
  rmSync(target, { force: true });
  try {
    linkSync(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    copyFileSync(source, target);
  }
}

async function sha256Of(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

function garbled(missing: readonly Download[], { archives }: Apt): MacvlabError {
  return new MacvlabError('KERNEL_FETCH', 'what was downloaded is not what the archive’s signed lists say', {
    evidence: missing.map(({ file, bytes, sha256 }) => `${file}: ${bytes} bytes, SHA256 ${sha256}`).join('\n'),
    next: `empty ${archives} and try again, or name another mirror: MACVLAB_DEBIAN_MIRROR=http://…/debian`,
  });
}

/** Percent of a download in apt's status lines (`dlstatus:1:77.3:…`, apt's README.progress-reporting); 0 for other lines. */
export function percentIn(line: string): number {
  return Number(/^dlstatus:\d+:(\d{1,3}(?:\.\d{1,9})?):/.exec(line)?.[1] ?? 0);
}

/** Turns them into a line for each quarter; for each percent where the set-up shows them (setup/guests.mjs). */
function percentages(onProgress: OnProgress | undefined): OnProgress {
  const step = process.env.MACVLAB_PROGRESS === 'percent' ? 1 : 25;
  let told = 0;
  return (line) => {
    const reached = Math.floor(percentIn(line) / step) * step;
    if (reached <= told || reached >= 100) return;
    told = reached;
    onProgress?.(`… ${reached} %`);
  };
}

/** Removes the downloads of packages that are already unpacked. @param names "linux-base=4.12" */
export function dropDownloads(names: readonly string[]): void {
  const archives = join(cacheFolder(), 'apt', 'archives');
  const starts = names.map((name) => `${name.replace('=', '_').replaceAll(':', '%3a')}_`);
  const files = existsSync(archives) ? readdirSync(archives) : [];
  for (const file of files.filter((name) => starts.some((start) => name.startsWith(start)))) {
    rmSync(join(archives, file), { force: true });
  }
}

/** Removes downloads of runs that did not complete. */
function dropOldDownloads({ archives }: Apt): void {
  for (const name of readdirSync(archives)) {
    const file = join(archives, name);
    const { mtimeMs = Date.now() } = statSync(file, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > downloadAge) rmSync(file, { force: true });
  }
}
