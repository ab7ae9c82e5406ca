/**
 * The root image that all guests share: a read-only squashfs of a few Debian packages, unpacked and never installed. It is
 * made once per set of package versions, needs no root, and the same packages give the same bytes.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheEntry, cacheFolder } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { fetchWithDependencies } from '../../kernel/archive.js';
import { hostTool } from './host-tools.js';
import { type RootRecipe, rootRecipe } from './root-recipe.js';

export interface RootImageOptions {
  /** Looks for newer packages, even if there is an image. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  /** Called with a line of text for the user whenever there is news. */
  onProgress?: ((line: string) => void) | undefined;
}

/** The cache's folder of root images. */
const images = 'root-images';
const imageFile = 'root.squashfs';

/** Raised when this file makes something else of the same recipe. */
const maker = 1;

const next = 'run the same command again; `MACVLAB_CACHE` names another folder for what is made';

/**
 * The root image's file. One that is in the cache is found without a look at the network.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function rootImage(options: RootImageOptions = {}): Promise<string> {
  const made = options.refresh ? undefined : findRootImage();
  return made ?? (await makeImage(options));
}

/** The static busybox that lies beside a root image. */
export function busyboxOf(image: string): string {
  return join(dirname(image), 'busybox');
}

/** What is in the name of each image made by a recipe. */
export function recipeDigest(recipe: RootRecipe): string {
  return digest(JSON.stringify([maker, recipe]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The image in the cache that was made last, if there is one. */
export function findRootImage(): string | undefined {
  const folder = join(cacheFolder(), images);
  if (!existsSync(folder)) return undefined;
  const prefix = `${recipeDigest(rootRecipe)}-`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.part'))
    .map((name) => join(folder, name, imageFile))
    .map((file) => ({ file, time: statSync(dirname(file), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)[0]?.file;
}

async function makeImage({ refresh, signal, onProgress }: RootImageOptions): Promise<string> {
  for (const name of ['dpkg-deb', 'tar', 'mksquashfs']) hostTool(name);
  // Named like a half-made entry, so that it is dropped some day if we are killed.
  const fetched = join(cacheFolder(), images, `packages.${process.pid}-${Date.now().toString(36)}.part`);
  try {
    onProgress?.('making the guests’ root image, once');
    const { packages, suite } = rootRecipe;
    const files = await fetchWithDependencies(packages, suite, fetched, {
      refresh: refresh ?? false,
      signal,
      onProgress,
    });
    const names = files.map((file) => basename(file, '.deb').replaceAll('%3a', ':')).sort();
    const name = `${images}/${recipeDigest(rootRecipe)}-${digest(names.join('\n'))}`;
    const entry = await cacheEntry(name, async (folder) => {
      onProgress?.('packing the guests’ root image');
      await packImage(rootRecipe, files, folder, signal);
      writeFileSync(join(folder, 'packages'), `${names.join('\n')}\n`);
    });
    // What was found again is the newest from now on.
    utimesSync(entry, new Date(), new Date());
    return join(entry, imageFile);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
}

/**
 * Makes an image, and puts the static busybox beside it.
 * @param packages .deb files
 * @param folder where `root.squashfs` and `busybox` will be
 */
export async function packImage(
  recipe: RootRecipe,
  packages: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const [whole, tree] = [join(folder, 'whole'), join(folder, 'tree')];
  for (const file of packages.filter((each) => !recipe.leftOut.includes(basename(each).replace(/_.*/, '')))) {
    const argv = [hostTool('dpkg-deb'), '--extract', file, whole];
    await runProgram(argv, { what: `unpack ${basename(file)}`, code: 'KERNEL_FETCH', next, signal });
  }
  layOut(recipe, whole, tree);
  const busybox = join(folder, 'busybox');
  copyFileSync(join(tree, 'usr/bin/busybox'), busybox);
  chmodSync(busybox, 0o755);
  await linkApplets(busybox, tree, signal);
  refuseWithout(recipe.commands, tree);
  await indexLibraries(tree, signal);
  setModes(tree);
  await squash(tree, join(folder, imageFile), signal);
  for (const left of [whole, tree]) rmSync(left, { recursive: true });
}

function layOut(recipe: RootRecipe, whole: string, tree: string): void {
  for (const name of recipe.kept.filter((each) => existsSync(join(whole, each)))) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    renameSync(join(whole, name), join(tree, name));
  }
  for (const name of recipe.dropped) rmSync(join(tree, name), { recursive: true, force: true });
  for (const name of recipe.folders) mkdirSync(join(tree, name), { recursive: true });
  for (const [name, target] of Object.entries(recipe.links)) symlinkSync(target, join(tree, name));
  for (const [name, text] of Object.entries(recipe.files)) writeFileSync(join(tree, name), text);
}

/** Neither this process's umask nor a package says how open a file of the image is; nobody but root is in a guest. */
function setModes(tree: string): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) setMode(join(entry.parentPath, entry.name), entry.isDirectory());
  }
  setMode(tree, true);
}

function setMode(file: string, executable: boolean): void {
  chmodSync(file, executable || statSync(file).mode & 0o100 ? 0o755 : 0o644);
}

/** Whatever no package brings is busybox's. */
async function linkApplets(busybox: string, tree: string, signal?: AbortSignal): Promise<void> {
  const list = await runProgram([busybox, '--list'], { what: 'list busybox’s applets', next, signal });
  for (const name of list.toString().split('\n')) {
    if (name && !find(name, tree)) symlinkSync('busybox', join(tree, 'usr/bin', name));
  }
}

function find(command: string, tree: string): boolean {
  return ['usr/bin', 'usr/sbin'].some((folder) => isThere(join(tree, folder, command)));
}

/** Also a link that leads nowhere on this machine is there. */
function isThere(file: string): boolean {
  if (existsSync(file)) return true;
  try {
    return readlinkSync(file) !== '';
  } catch {
    return false;
  }
}

function refuseWithout(commands: readonly string[], tree: string): void {
  const missing = commands.filter((command) => !find(command, tree));
  if (missing.length === 0) return;
  throw new MacvlabError('KERNEL_FETCH', `the guests’ packages lack ${missing.join(', ')}`, {
    next: 'report this: the archive’s packages have changed; until then, use the sandbox lab',
  });
}

/**
 * Writes /etc/ld.so.cache, without which each program start looks for each library in several folders. By the image's own
 * ldconfig, which is static: not every machine has one of the same format.
 */
async function indexLibraries(tree: string, signal?: AbortSignal): Promise<void> {
  const argv = [join(tree, 'usr/sbin/ldconfig'), '-X', '-i', '-r', tree];
  await runProgram(argv, { what: 'index the guests’ libraries', next, signal });
  rmSync(join(tree, 'var/cache'), { recursive: true, force: true });
}

/** Uncompressed: a guest whose every instruction is translated reads faster than it unpacks. */
async function squash(tree: string, image: string, signal?: AbortSignal): Promise<void> {
  const plain = ['-noI', '-noD', '-noF', '-noX', '-no-xattrs'];
  const argv = [hostTool('mksquashfs'), tree, image, '-noappend', '-all-root', ...plain, '-no-progress', '-quiet'];
  // mksquashfs(1): the image's time, and the latest that any file in it has.
  const env = { SOURCE_DATE_EPOCH: '1' };
  await runProgram(argv, { what: 'pack the guests’ root image', next, env, signal });
}
