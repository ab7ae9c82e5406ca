/** The image of a lab's containers: the Debian packages of the guests' root image, imported into the engine as one layer. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MacvlabError, messageOf } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { hostTool } from '../../core/host-tools.js';
import { findRoot, type RootForm, rootOf, tryAgain } from '../../image/root-tree.js';
import { hasImage, importImage } from './containers.js';
import { type Engine, RequestRefusal } from './engine.js';

/** The architecture of the recipe's packages, as engines name it. */
export const imageArchitecture = 'amd64';

const repository = 'macvlab-node';
const archive = 'root.tar';
const digestFile = 'sha256';

/** A tar file, and a file with its digest in the same folder. */
export const archived: RootForm = {
  of: 'containers',
  what: 'image',
  folder: 'container-images',
  file: archive,
  tools: [],
  async pack(tree, folder, signal) {
    const file = join(folder, archive);
    const same = ['--sort=name', '--mtime=@1', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
    const argv = [hostTool('tar'), '--create', '--file', file, '--directory', tree, ...same, '.'];
    await runProgram(argv, { what: 'pack the containers’ image', next: tryAgain, signal });
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    writeFileSync(join(folder, digestFile), hash.digest('hex'));
  },
};

/** The name of the image in the cache; undefined if none has been created. Its tag is a digest of its contents. */
export function findNodeImage(): string | undefined {
  const file = findRoot(archived);
  return file === undefined ? undefined : nameOf(file);
}

function nameOf(file: string): string {
  return `${repository}:${readFileSync(join(dirname(file), digestFile), 'utf8').slice(0, 12)}`;
}

/**
 * Imports the image into an engine, unless the engine has it. Downloads and creates it first if it is not in the cache.
 * @returns its name
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, CACHE_DAMAGED, ENGINE_REFUSED
 */
export async function nodeImage(engine: Engine, remark: (line: string) => void = () => undefined): Promise<string> {
  const file = await rootOf(archived, { onProgress: remark });
  const name = nameOf(file);
  if (await hasImage(engine, name)) return name;
  remark('giving the container engine the image, once');
  try {
    await importImage(engine, file, repository, name.slice(repository.length + 1));
  } catch (error) {
    if (!(error instanceof RequestRefusal)) throw error;
    throw new MacvlabError('ENGINE_REFUSED', messageOf(error), {
      evidence: `from ${file}`,
      next: `see that the engine has room for 50 MB; when the file may be damaged, remove its folder: rm -r ${dirname(file)}`,
      cause: error,
    });
  }
  return name;
}
