/**
 * Root file systems for a lab's machines: a few Debian packages, unpacked and never installed. One is created per set
 * of package versions, without root. The same packages give the same bytes.
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
import { fetchWithDependencies } from '../kernel/debian/archive.js';
import { hostTool } from '../core/host-tools.js';
import { type RootRecipe, rootRecipe } from './root-recipe.js';

export interface RootOptions {
  /** Looks for newer packages, even if a root exists. */
  refresh?: boolean;
  signal?: AbortSignal | undefined;
  /** Called with a line of text for the user for each progress report. */
  onProgress?: ((line: string) => void) | undefined;
}

/** The final form of a root. */
export interface RootForm {
  /** Its users, as shown to the user: "guests". */
  of: string;
  /** Its name: "root image". */
  what: string;
  /** The cache folder for this form. */
  folder: string;
  /** The resulting file in a cache entry. */
  file: string;
  /** Programs that packing needs. */
  tools: readonly string[];
  /** Its contents; by default, those that every machine of a lab needs. */
  recipe?: RootRecipe;
  /** Creates the file, and the files next to it, in the folder of a cache entry; may move the tree itself. */
  pack(tree: string, folder: string, signal?: AbortSignal): Promise<void>;
}

/** Raised when this file creates a different result from the same recipe. */
const maker = 1;

/** The next step when a program that creates roots fails. */
export const tryAgain = 'run the same command again; `MACVLAB_CACHE` names another folder for what is made';

/** A part of the name of each root from a recipe. */
export function recipeDigest(recipe: RootRecipe): string {
  return digest(JSON.stringify([maker, recipe]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The file of the newest root in the cache, if there is one. */
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
 * A root's file, which is created if necessary. If it is in the cache, no network access is needed.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function rootOf(form: RootForm, options: RootOptions = {}): Promise<string> {
  const made = options.refresh ? undefined : findRoot(form);
  return made ?? (await makeRoot(form, options));
}

async function makeRoot(form: RootForm, { refresh, signal, onProgress }: RootOptions): Promise<string> {
  for (const name of ['dpkg-deb', 'tar', ...form.tools]) hostTool(name);
  const { recipe = rootRecipe } = form;
  // Named like an incomplete entry, so that it is removed later if this process is killed.
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
    // A root that was found again becomes the newest.
    utimesSync(entry, new Date(), new Date());
    return join(entry, form.file);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
}

/**
 * Creates a root from packages, and packs it.
 * @param packages .deb files
 * @param folder for the form's file
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

/** Neither this process's umask nor a package determines the modes of the root's files: root is the only user of a machine. */
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

/** Adds busybox applets for all commands that no package contains. */
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

/** A link whose target is missing on this machine also counts. */
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
 * Writes /etc/ld.so.cache, without which each program start looks for each library in several folders. It uses the
 * root's own ldconfig, which is static: some machines have one of another format.
 */
async function indexLibraries(tree: string, signal?: AbortSignal): Promise<void> {
  const argv = [join(tree, 'usr/sbin/ldconfig'), '-X', '-i', '-r', tree];
  await runProgram(argv, { what: 'index the libraries of a lab’s machines', next: tryAgain, signal });
  rmSync(join(tree, 'var/cache'), { recursive: true, force: true });
}
