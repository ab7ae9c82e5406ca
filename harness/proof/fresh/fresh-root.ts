/**
 * The root folder of a fresh machine: a minimal Debian of this machine's release, with Node, npm and git, and nothing
 * else. Packages come from this machine's mirror. Downloaded packages are reused.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { debianMirror } from '../../kernel/debian/debian-mirror.js';
import { findProgram } from '../../setup/machine.mjs';

/** Packages in addition to those that Debian marks as required. */
const packages = ['git'];

/** Milliseconds after which a minimal root is rebuilt: a week. */
const rootAge = 7 * 86_400_000;

const aptArchives = 'var/cache/apt/archives';

/** The folder for data that fresh machines reuse: minimal roots and downloaded packages. */
export function freshFolder(): string {
  return join(cacheFolder(), 'fresh');
}

/** The packages that fresh machines have downloaded. The next machine reuses them. */
function downloads(): string {
  return join(freshFolder(), 'downloads');
}

/**
 * Fills a folder with the files of a fresh machine.
 * @param folder is empty, and below {@link freshFolder}
 * @throws MacvlabError NOT_ROOT, TOOL_MISSING, PROGRAM_FAILED, KERNEL_FETCH
 */
export async function makeFreshRoot(folder: string, signal: AbortSignal): Promise<void> {
  const options = { next: 'see what the program reported above', signal };
  const archive = await minimalRoot(signal);
  await runProgram(['tar', '-x', '-f', archive, '-C', folder], { what: 'unpack the minimal root', ...options });
  mkdirSync(join(folder, aptArchives), { recursive: true });
  mkdirSync(downloads(), { recursive: true });
  await runProgram(['cp', '-al', `${downloads()}/.`, join(folder, aptArchives)], {
    what: 'link downloaded packages',
    ...options,
  });
  for (const name of ['etc/resolv.conf', 'etc/hosts']) copyFileSync(join('/', name), join(folder, name));
  appendFileSync(join(folder, 'etc/hosts'), '127.0.0.1 fresh\n');
  writeFileSync(join(folder, 'etc/hostname'), 'fresh\n');
  // Certificates of the machine's own registries.
  if (existsSync('/etc/ssl/certs'))
    cpSync('/etc/ssl/certs', join(folder, 'etc/ssl/certs'), { recursive: true, dereference: true });
  await installNode(folder, signal);
}

/** Stores the downloads of a fresh machine for the next one. */
export async function keepDownloads(folder: string): Promise<void> {
  const from = join(folder, aptArchives);
  await runProgram(
    ['sh', '-c', 'find "$1" -maxdepth 1 -name "*.deb" -exec cp -aln -t "$2" {} +', 'sh', from, downloads()],
    {
      what: 'keep downloaded packages',
      next: `remove ${downloads()}`,
    },
  );
}

/** A tar archive of a minimal root. mmdebstrap builds it at most once a week. */
async function minimalRoot(signal: AbortSignal): Promise<string> {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const mmdebstrap = findProgram('mmdebstrap');
  if (release === undefined || mmdebstrap === undefined) {
    throw new MacvlabError('TOOL_MISSING', 'a fresh machine is made with mmdebstrap, which is not installed', {
      next: 'on Debian, run as root: apt-get install -y --no-install-recommends mmdebstrap',
    });
  }
  const { main, security, keyring } = debianMirror();
  const sources = [
    ...[release, `${release}-updates`].map((suite) => `deb [signed-by=${keyring}] ${main} ${suite} main`),
    `deb [signed-by=${keyring}] ${security} ${release}-security main`,
  ];
  const settings = await downloadSettings();
  const name = createHash('sha256')
    .update(JSON.stringify([sources, settings, packages]))
    .digest('hex')
    .slice(0, 12);
  const archive = join(freshFolder(), `${name}.tar`);
  const built = statSync(archive, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - built < rootAge) return archive;
  const unfinished = `${archive}.${process.pid}.part.tar`;
  const options = settings.map((line) => `--aptopt=${line}`);
  const argv = [mmdebstrap, '--variant=minbase', `--include=${packages.join()}`, ...options, release, unfinished, '-'];
  try {
    await runProgram(argv, {
      what: 'build a minimal Debian',
      next: 'see that the mirror can be reached',
      input: `${sources.join('\n')}\n`,
      signal,
    });
    renameSync(unfinished, archive);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return archive;
}

/** The download settings of this machine's apt: its proxy and related options, without hooks. */
async function downloadSettings(): Promise<string[]> {
  const dump = await runProgram(['apt-config', 'dump'], { what: 'read apt’s settings', next: 'repair apt' });
  return dump
    .toString()
    .split('\n')
    .filter((line) => /^Acquire::(?!IndexTargets|Languages|Changelogs|CompressionTypes)[\w:-]+ "[^"]+";$/.test(line));
}

/** Copies the Node that runs this program, with npm and npm's settings. Debian's own Node may be too old. */
async function installNode(folder: string, signal: AbortSignal): Promise<void> {
  const npm = findProgram('npm');
  if (npm === undefined) {
    throw new MacvlabError('TOOL_MISSING', 'npm is not installed', { next: 'install Node with npm (nodejs.org)' });
  }
  const local = join(folder, 'usr/local');
  const npmFolder = dirname(dirname(realpathSync(npm)));
  copyFileSync(process.execPath, join(local, 'bin/node'));
  cpSync(npmFolder, join(local, 'lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
  const setting = async (name: string) =>
    (
      await runProgram([npm, 'config', 'get', name], {
        what: 'read npm’s settings',
        next: 'repair npm',
        cwd: homedir(),
        signal,
      })
    )
      .toString()
      .trim();
  const [global, user, cache] = [await setting('globalconfig'), await setting('userconfig'), await setting('cache')];
  mkdirSync(join(local, 'etc'), { recursive: true });
  if (existsSync(global)) copyFileSync(global, join(local, 'etc/npmrc'));
  // For every user, because npm's settings contain the registry.
  for (const home of ['root', 'etc/skel']) {
    if (existsSync(user)) copyFileSync(user, join(folder, home, '.npmrc'));
    if (existsSync(join(cache, '_cacache'))) {
      cpSync(join(cache, '_cacache'), join(folder, home, '.npm/_cacache'), { recursive: true });
    }
  }
}
