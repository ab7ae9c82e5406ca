/** Finds the modules of a user's own kernel: in the user's folder, or among this machine's own. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheEntry } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { isBuildTree } from './build-tree.js';

/** Modules that a guest can load. */
export interface OwnModules {
  /** The folder that contains `lib/modules/<release>`, with a modules.dep in it. */
  root: string;
  /** The original folder, lib/modules/<release> or its replacement. */
  source: string;
  /** Changes when a module does: from names, sizes and times. Usable as a file name. */
  id: string;
}

const moduleFile = /\.ko(\.(gz|xz|zst))?$/;

/** This machine's own modules, when they are exactly this release's: for `--kernel /boot/vmlinuz-$(uname -r)`. */
export async function machineModules(release: string): Promise<OwnModules | undefined> {
  const folder = join('/lib/modules', release);
  return existsSync(join(folder, 'modules.dep'))
    ? { root: '/', source: folder, id: await identityOf(folder) }
    : undefined;
}

/**
 * The modules in a user's folder: it contains lib/modules/<release>, or <release>, or is the folder of the modules.
 * Nothing is written into it. Without a modules.dep, it is indexed in a private folder that links to it.
 * @throws MacvlabError KERNEL_UNKNOWN when there is no such folder or it has no modules; KERNEL_UNSUITABLE when they
 *   are for another release, naming both
 */
export async function givenModules(path: string, release: string, signal?: AbortSignal): Promise<OwnModules> {
  const at = resolve(path);
  if (!(await isFolder(at))) {
    throw new MacvlabError('KERNEL_UNKNOWN', `${path} is no folder, so that it has no modules`, {
      next: 'give the folder that has lib/modules/<release>, as `make modules_install INSTALL_MOD_PATH=<folder>` fills it',
    });
  }
  if (isBuildTree(at)) {
    throw new MacvlabError('KERNEL_UNKNOWN', `${path} is a kernel’s build tree, not a folder of installed modules`, {
      next: `give it as the kernel, without --modules: --kernel ${path}`,
    });
  }
  const parents = [join(at, 'lib/modules'), join(at, 'usr/lib/modules'), at];
  const named = [...parents.map((parent) => join(parent, release)), ...(basename(at) === release ? [at] : [])];
  for (const folder of named) if (await isModuleFolder(folder)) return usable(folder, release, signal);
  if (await isModuleFolder(at)) {
    const other = await releaseOfModules(at);
    if (other === release) return usable(at, release, signal);
    throw wrongRelease(path, release, [other ?? 'an unknown release']);
  }
  const others = await Promise.all(
    parents.map(async (parent) => {
      const names = await readdir(parent).catch(() => []);
      const found = await Promise.all(names.map((name) => isModuleFolder(join(parent, name))));
      return names.filter((_, index) => found[index]);
    }),
  );
  throw wrongRelease(path, release, others.flat());
}

function wrongRelease(path: string, release: string, others: readonly string[]): MacvlabError {
  if (others.length === 0) {
    return new MacvlabError('KERNEL_UNKNOWN', `${path} has no modules: no lib/modules/${release} in it`, {
      next: 'fill it: make -C <tree> modules_install INSTALL_MOD_PATH=<folder>',
    });
  }
  return new MacvlabError(
    'KERNEL_UNSUITABLE',
    `${path} has the modules of ${others.join(', ')}, and the image is ${release}, which would load none of them`,
    { next: `give the modules of ${release}, or the image that these modules were built with` },
  );
}

/** Whether a folder has the layout of lib/modules/<release>, or contains modules directly. */
async function isModuleFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some(
    (name) => ['modules.dep', 'modules.order', 'modules.builtin', 'kernel'].includes(name) || moduleFile.test(name),
  );
}

/** The release of a module, from its vermagic; undefined without a module, or without a vermagic. */
async function releaseOfModules(folder: string): Promise<string | undefined> {
  const [first] = await modulesIn(folder);
  if (first === undefined) return undefined;
  const argv = ['modinfo', '-F', 'vermagic', join(folder, first)];
  const told = await runProgram(argv, { what: 'read a module', next: 'build it again', env: withSystemPath() });
  return told.toString().split(/\s/, 1)[0] || undefined;
}

/** Modules below a folder, sorted. The links to the build tree, `build` and `source`, are skipped. */
async function modulesIn(folder: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(below, entry.name);
      if (moduleFile.test(entry.name)) return [path];
      if (entry.isFile() || ['build', 'source'].includes(entry.name)) return [];
      return (await isFolder(join(folder, path))) ? modulesIn(folder, path) : [];
    }),
  );
  return found.flat().sort();
}

async function identityOf(folder: string): Promise<string> {
  return identityOfFiles(folder, await modulesIn(folder));
}

/** An identity that changes when one of the files does: from their names, sizes and times, as 12 hexadecimal digits. */
export async function identityOfFiles(folder: string, files: readonly string[]): Promise<string> {
  const facts = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(join(folder, file));
      return `${file} ${size} ${mtimeMs}\n`;
    }),
  );
  return createHash('sha256').update(facts.join('')).digest('hex').slice(0, 12);
}

/** The folder itself if it is usable; otherwise a private, indexed folder that links to it. */
async function usable(folder: string, release: string, signal?: AbortSignal): Promise<OwnModules> {
  const real = await realpath(folder);
  const id = await identityOf(real);
  const inPlace = folder.endsWith(join('/lib/modules', release)) && existsSync(join(folder, 'modules.dep'));
  if (inPlace) return { root: dirname(dirname(dirname(folder))), source: real, id };
  // Two folders may hold equal modules, and one of them may be deleted.
  const place = createHash('sha256').update(real).digest('hex').slice(0, 12);
  const root = await cacheEntry(join('own-modules', `${place}-${id}`), async (made) => {
    const links = join(made, 'lib/modules', release);
    await mkdir(links, { recursive: true });
    for (const name of await readdir(real)) {
      if (name === 'build' || name === 'source') continue;
      // Lists from the kernel build; all other modules.* are depmod's.
      if (/^modules\.(order|builtin(\.modinfo)?)$/.test(name)) await cp(join(real, name), join(links, name));
      else if (!name.startsWith('modules.')) await symlink(join(real, name), join(links, name));
    }
    await indexModules(made, release, signal);
  });
  return { root, source: real, id };
}

/** Writes modules.dep and the other indexes. @throws MacvlabError PROGRAM_FAILED */
export async function indexModules(root: string, release: string, signal?: AbortSignal): Promise<void> {
  const next = 'install the machine’s kmod package, or look at the evidence';
  await runProgram(['depmod', '-b', root, release], { what: 'index the modules', next, env: withSystemPath(), signal });
}

/** A user's search path often lacks the folders of depmod and modinfo. */
export function withSystemPath(): { PATH: string } {
  return { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
