/**
 * Root file systems for a lab's machines: a few Debian packages, unpacked and never installed. One is made once per set of
 * package versions, needs no root, and the same packages give the same bytes.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
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
import { cacheEntry, cacheFolder } from '../core/cache.js';
import { MacvlabError } from '../core/error.js';
import { runProgram } from '../core/program.js';
import { fetchWithDependencies } from '../kernel/archive.js';
import { hostTool } from './host-tools.js';
import { type RootRecipe, rootRecipe } from './root-recipe.js';

export interface RootOptions {
  /** Looks for newer packages, even if there is a root. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  /** Called with a line of text for the user whenever there is news. */
  onProgress?: ((line: string) => void) | undefined;
}

/** What a root becomes in the end. */
export interface RootForm {
  /** Whose root it is, as the user hears of it: "guests". */
  of: string;
  /** What it is called: "root image". */
  what: string;
  /** The cache's folder of such. */
  folder: string;
  /** The file in a cache entry that is wanted. */
  file: string;
  /** Programs that packing needs. */
  tools: readonly string[];
  /** What it is made of; by default, what every machine of a lab needs. */
  recipe?: RootRecipe;
  /** Makes the file, and whatever belongs beside it, in the folder of a cache entry; may take the tree itself. */
  pack(tree: string, folder: string, signal?: AbortSignal): Promise<void>;
}

/** Raised when this file makes something else of the same recipe. */
const maker = 1;

/** What is to be tried when a program fails that roots are made with. */
export const tryAgain = 'run the same command again; `MACVLAB_CACHE` names another folder for what is made';

/** What is in the name of each root made by a recipe. */
export function recipeDigest(recipe: RootRecipe): string {
  return digest(JSON.stringify([maker, recipe]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The root in the cache that was made last, if there is one: its file. */
export function findRoot({ folder, file, recipe = rootRecipe }: RootForm): string | undefined {
  const roots = join(cacheFolder(), folder);
  if (!existsSync(roots)) return undefined;
  const prefix = `${recipeDigest(recipe)}-`;
  return readdirSync(roots)
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.part'))
    .map((name) => join(roots, name, file))
    .map((path) => ({ path, time: statSync(dirname(path), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)[0]?.path;
}

/**
 * A root's file, which is made first if need be. One that is in the cache is found without a look at the network.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function rootOf(form: RootForm, options: RootOptions = {}): Promise<string> {
  const made = options.refresh ? undefined : findRoot(form);
  return made ?? (await makeRoot(form, options));
}

async function makeRoot(form: RootForm, { refresh, signal, onProgress }: RootOptions): Promise<string> {
  for (const name of ['dpkg-deb', 'tar', ...form.tools]) hostTool(name);
  const { recipe = rootRecipe } = form;
  // Named like a half-made entry, so that it is dropped some day if we are killed.
  const fetched = join(cacheFolder(), form.folder, `packages.${process.pid}-${Date.now().toString(36)}.part`);
  try {
    onProgress?.(`making the ${form.of}’ ${form.what}, once`);
    const { packages, suite } = recipe;
    const files = await fetchWithDependencies(packages, suite, fetched, {
      refresh: refresh ?? false,
      signal,
      onProgress,
    });
    const names = files.map((file) => basename(file, '.deb').replaceAll('%3a', ':')).sort();
    const name = `${form.folder}/${recipeDigest(recipe)}-${digest(names.join('\n'))}`;
    const entry = await cacheEntry(name, async (folder) => {
      onProgress?.(`packing the ${form.of}’ ${form.what}`);
      await packRoot(form, recipe, files, folder, signal);
      writeFileSync(join(folder, 'packages'), `${names.join('\n')}\n`);
    });
    // What was found again is the newest from now on.
    utimesSync(entry, new Date(), new Date());
    return join(entry, form.file);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
}

/**
 * Makes a root of packages, and packs it.
 * @param packages .deb files
 * @param folder where the form's file will be
 */
export async function packRoot(
  form: RootForm,
  recipe: RootRecipe,
  packages: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const [whole, tree] = [join(folder, 'whole'), join(folder, 'tree')];
  for (const file of packages.filter((each) => !recipe.leftOut.includes(basename(each).replace(/_.*/, '')))) {
    const argv = [hostTool('dpkg-deb'), '--extract', file, whole];
    await runProgram(argv, { what: `unpack ${basename(file)}`, code: 'KERNEL_FETCH', next: tryAgain, signal });
  }
  layOut(recipe, whole, tree);
  await linkApplets(tree, signal);
  refuseWithout(recipe.commands, tree, form.of);
  await indexLibraries(tree, signal);
  setModes(tree);
  await form.pack(tree, folder, signal);
  for (const left of [whole, tree]) rmSync(left, { recursive: true, force: true });
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

/** Neither this process's umask nor a package says how open a file of the root is; nobody but root is in a machine. */
function setModes(tree: string): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) setMode(join(entry.parentPath, entry.name), entry.isDirectory());
  }
  setMode(tree, true);
}

function setMode(file: string, executable: boolean): void {
  chmodSync(file, executable || statSync(file).mode & 0o100 ? 0o755 : 0o644);
}

/** The static busybox in a tree. */
export function busyboxIn(tree: string): string {
  return join(tree, 'usr/bin/busybox');
}

/** Whatever no package brings is busybox's. */
async function linkApplets(tree: string, signal?: AbortSignal): Promise<void> {
  const list = await runProgram([busyboxIn(tree), '--list'], {
    what: 'list busybox’s applets',
    next: tryAgain,
    signal,
  });
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

function refuseWithout(commands: readonly string[], tree: string, of: string): void {
  const missing = commands.filter((command) => !find(command, tree));
  if (missing.length === 0) return;
  throw new MacvlabError('KERNEL_FETCH', `the ${of}’ packages lack ${missing.join(', ')}`, {
    next: 'report this: the archive’s packages have changed; until then, use the sandbox lab',
  });
}

/**
 * Writes /etc/ld.so.cache, without which each program start looks for each library in several folders. By the root's own
 * ldconfig, which is static: not every machine has one of the same format.
 */
async function indexLibraries(tree: string, signal?: AbortSignal): Promise<void> {
  const argv = [join(tree, 'usr/sbin/ldconfig'), '-X', '-i', '-r', tree];
  await runProgram(argv, { what: 'index the libraries of a lab’s machines', next: tryAgain, signal });
  rmSync(join(tree, 'var/cache'), { recursive: true, force: true });
}
