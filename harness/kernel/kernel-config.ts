/** Finds the config of a user's own kernel. */
import { realpathSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cacheEntry } from '../core/cache.js';
import { treeOf } from './own/build-tree.js';
import { unpackImage } from './image/vmlinux.js';

/** The config of a tree's last build; its .config may have been edited since. */
export async function configOfTree(tree: string): Promise<string | undefined> {
  return (await textOf(join(tree, 'include/config/auto.conf'))) ?? (await textOf(join(tree, '.config')));
}

export interface ImageFiles {
  image: string;
  release: string;
  /** Changes with the image; usable as a file name. */
  digest: string;
  /** The folder of its modules, lib/modules/<release>, where their build left it. */
  modules: string | undefined;
}

/**
 * The config of an image: from its build tree, next to it, with its modules, or from the image (CONFIG_IKCONFIG).
 * @returns undefined when it is in none of these
 */
export async function configOfImage(
  { image, release, digest, modules }: ImageFiles,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const real = realpathSync(image);
  const folder = dirname(real);
  const tree = treeOf(real);
  const inTree = tree === undefined ? undefined : await configOfTree(tree);
  if (inTree !== undefined) return inTree;
  const names = [`config-${release}`, basename(real).replace(/^vmlinuz|^bzImage/, 'config')].filter((name) =>
    name.startsWith('config'),
  );
  const beside = names.map((name) => join(folder, name));
  const withModules = modules === undefined ? [] : ['config', 'build/.config'].map((name) => join(modules, name));
  for (const path of [...beside, ...withModules]) {
    const text = await textOf(path);
    if (text !== undefined) return text;
  }
  return (await embeddedConfig(image, digest, signal)) ?? (await looseConfig(folder, release));
}

/** A .config next to the image, when its first lines name the image's version: "# Linux/x86 6.1.192 Kernel Configuration". */
async function looseConfig(folder: string, release: string): Promise<string | undefined> {
  const text = await textOf(join(folder, '.config'));
  const version = /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(text ?? '')?.[1];
  return version !== undefined && release.startsWith(version) ? text : undefined;
}

/** The config that CONFIG_IKCONFIG puts into a kernel, between marks (kernel/configs.c). Cached, because the image must be unpacked for it. */
async function embeddedConfig(image: string, digest: string, signal?: AbortSignal): Promise<string | undefined> {
  let found: string | undefined;
  const folder = await cacheEntry(join('configs', digest), async (made) => {
    const elf = await unpackImage(image, made, signal);
    await rm(join(made, 'vmlinux'), { force: true });
    found = elf && configIn(elf);
    if (found !== undefined) await writeFile(join(made, 'config'), found);
  });
  return found ?? textOf(join(folder, 'config'));
}

/** The config in an unpacked kernel. */
function configIn(elf: Buffer): string | undefined {
  const [begin, end] = [elf.indexOf('IKCFG_ST'), elf.lastIndexOf('IKCFG_ED')];
  if (begin === -1 || end <= begin) return undefined;
  try {
    return gunzipSync(elf.subarray(begin + 8, end)).toString();
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
