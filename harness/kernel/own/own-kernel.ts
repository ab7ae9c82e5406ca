/** A user's own kernel: a bzImage, or its build tree. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheEntry } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { imageOfTree, modulesOfTree, releaseOfTree } from './build-tree.js';
import { readBzImage } from '../image/bzimage.js';
import { configOfImage, configOfTree } from '../kernel-config.js';
import type { Kernel } from '../kernel.js';
import {
  givenModules,
  identityOfFiles,
  indexModules,
  machineModules,
  type OwnModules,
  withSystemPath,
} from './own-modules.js';

export interface OwnKernelOptions {
  /** The image's modules: a folder with lib/modules/<release>, or that folder itself. */
  modules?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Receives a line about each slow step. */
  onProgress?: (line: string) => void;
}

/**
 * The kernel at a path. A tree's modules are installed into a private folder; nothing is written into the tree.
 * @param path a bzImage, or the top folder of a kernel's build tree
 * @throws MacvlabError KERNEL_UNKNOWN when there is none, with a description of the path; KERNEL_UNSUITABLE when its
 *   tree is not built or its modules are for another kernel; PROGRAM_FAILED, CACHE_NOT_WRITABLE
 */
export async function ownKernel(path: string, options: OwnKernelOptions = {}): Promise<Kernel> {
  const at = resolve(path);
  const isFolder = (await stat(at).catch(() => undefined))?.isDirectory() ?? false;
  const image = isFolder ? await imageOfTree(at, path) : at;
  const { release, version } = await readBzImage(image);
  const digest = createHash('sha256')
    .update(await readFile(image))
    .digest('hex')
    .slice(0, 16);
  const config = isFolder ? await configOfTree(at) : undefined;
  const modules =
    options.modules !== undefined
      ? await givenModules(options.modules, release, options.signal)
      : isFolder
        ? await treeModules({ tree: at, path, release, digest, config }, options)
        : await machineModules(release);
  const known = config ?? (await configOfImage({ image, release, digest, modules: modules?.source }, options.signal));
  return {
    name: path,
    release,
    image,
    ...(modules ? { modules: modules.root } : {}),
    ...(known === undefined ? {} : { config: known }),
    origin: `own ${isFolder ? 'build tree' : 'image'}${/ #.*/.exec(version)?.[0] ?? ''}`,
    id: `own-${digest}-${modules?.id ?? 'builtin'}`,
  };
}

interface Tree {
  tree: string;
  path: string;
  release: string;
  digest: string;
  config: string | undefined;
}

/** A tree's modules, installed into the cache once per build; undefined when its config has none. */
async function treeModules(
  { tree, path, release, digest, config = '' }: Tree,
  { signal, onProgress }: OwnKernelOptions,
): Promise<OwnModules | undefined> {
  if (!/^CONFIG_MODULES=y$/m.test(config) || !/^CONFIG_\w+=m$/m.test(config)) return undefined;
  const now = await releaseOfTree(tree);
  if (now !== undefined && now !== release) {
    throw new MacvlabError('KERNEL_UNSUITABLE', `${path} has the image of ${release}, and is ${now} since`, {
      next: `make -C ${path} -j$(nproc) bzImage modules`,
    });
  }
  const files = await modulesOfTree(tree, path);
  const id = await identityOfFiles(tree, files);
  const root = await cacheEntry(join('own-modules', `${digest}-${id}`), async (made) => {
    onProgress?.(`installing the ${files.length} modules of ${path} into a private folder`);
    // Settings for other builds in the environment do not apply to this one.
    const env = { ...withSystemPath(), MAKEFLAGS: '', KBUILD_OUTPUT: '' };
    const argv = ['make', '-s', '-C', tree, 'modules_install', `INSTALL_MOD_PATH=${made}`, 'INSTALL_MOD_STRIP=1'];
    await runProgram(argv, {
      what: 'install the tree’s modules',
      next: `see that this works: make -C ${path} modules_install INSTALL_MOD_PATH=<folder>`,
      env,
      signal,
    });
    // Without a System.map, or without kmod, the build does not index them (scripts/depmod.sh).
    if (!existsSync(join(made, 'lib/modules', release, 'modules.dep'))) await indexModules(made, release, signal);
  });
  return { root, source: tree, id };
}
