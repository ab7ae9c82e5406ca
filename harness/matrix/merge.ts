/** Merges the parts of a matrix from several machines. The result equals a matrix that ran in one piece. */
import { cpSync, existsSync, lstatSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MacvlabError } from '../core/error.js';
import { makeFolders, writing } from '../core/report-files.js';
import { version } from '../core/version.js';
import { keyOf } from '../run/record.js';
import { newRunId } from '../run/run-folder.js';
import { createMatrixFolder, freeSlot, readMatrix, slotFolder } from './folder.js';
import { byAge } from './plan/order.js';
import type { MatrixKernel, MatrixRecord, MatrixResults } from './record.js';

/**
 * Merges parts into a new matrix below `out`: shards of one matrix, or matrices of different kernels.
 * @returns the new matrix's folder, and the shards that are missing
 * @throws MacvlabError USAGE if the parts do not belong together; OUT_NOT_WRITABLE, without a leftover folder
 */
export async function mergeMatrices(
  folders: readonly string[],
  out: string,
  words: readonly string[],
): Promise<{ folder: string; missing: string[] }> {
  const parts = await Promise.all(folders.map((folder) => readMatrix(folder)));
  const matrix = mergedRecord(parts, words);
  const folder = createMatrixFolder(out, matrix, (made) => {
    for (const kernel of matrix.kernels) {
      const runs = parts
        .flatMap(({ kernels }) => kernels.filter((each) => each.kernel.name === kernel.name))
        .flatMap(({ runs }) => runs);
      for (const run of runs) copyRun(run.folder, join(slotFolder(made, kernel), basename(run.folder)));
    }
  });
  return { folder, missing: missingShards(parts) };
}

/** Copies a run; the same run in two parts is copied once. Links are left out: macvlab makes none in a run, and others may point anywhere. */
function copyRun(from: string, to: string): void {
  if (existsSync(to)) {
    if (isSameRun(from, to)) return;
    // Two machines that began in the same second may have chosen the same id.
    copyRun(from, `${to}-2`);
    return;
  }
  writing(to, () => {
    makeFolders(dirname(to));
    cpSync(from, to, { recursive: true, filter: (source) => isFileOrFolder(source) });
  });
}

function isSameRun(one: string, other: string): boolean {
  const [a, b] = [one, other].map((folder) => readFileSync(join(folder, 'run.json')));
  return a !== undefined && b !== undefined && a.equals(b);
}

function isFileOrFolder(path: string): boolean {
  const found = lstatSync(path);
  return found.isFile() || found.isDirectory();
}

function mergedRecord(parts: readonly MatrixResults[], words: readonly string[]): MatrixRecord {
  const [first] = parts;
  if (!first) throw new MacvlabError('USAGE', 'nothing was given to merge', { next: 'name the folders of matrices' });
  for (const [index, part] of parts.entries()) for (const other of parts.slice(index + 1)) refuseStranger(part, other);
  const records = parts.map(({ matrix }) => matrix);
  const { filters, mode, experiments } = first.matrix;
  const ends = records.flatMap(({ endedAt }) => endedAt ?? []);
  return {
    schema: 2,
    id: newRunId(),
    macvlab: version(),
    arguments: [...words],
    machine: hostname(),
    startedAt: records.map(({ startedAt }) => startedAt).sort()[0] ?? '',
    ...(ends.length === records.length && { endedAt: ends.sort().at(-1) ?? '' }),
    durationMs: records.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0),
    interrupted: records.some(({ interrupted }) => interrupted),
    filters,
    ...(mode !== undefined && { mode }),
    kernels: mergedKernels(parts),
    experiments,
  };
}

function refuseStranger(first: MatrixResults, other: MatrixResults): void {
  const refuse = (what: string, next: string) => {
    throw new MacvlabError('USAGE', `${first.folder} and ${other.folder} are not parts of one matrix: ${what}`, {
      next,
    });
  };
  if (!isDeepStrictEqual(first.matrix.experiments.map(keyOf), other.matrix.experiments.map(keyOf)))
    refuse('their experiments are not the same', 'perform all parts with the same macvlab, filters and mode');
  for (const kernel of other.matrix.kernels) {
    const same = first.matrix.kernels.find(({ name }) => name === kernel.name);
    if (same && imageOf(same) !== imageOf(kernel))
      refuse(`${kernel.name} is not the same build in both`, 'perform all parts with the same image of your kernel');
    if (same && nameOf(same) !== nameOf(kernel)) {
      const said = `${kernel.name} is ${nameOf(same)} in one, ${nameOf(kernel)} in the other`;
      refuse(said, `perform all parts with the same kernel: --kernels ${kernel.name}=${kernel.spec}`);
    }
  }
}

/**
 * The digest of the image of an own kernel (own-kernel.ts). The rest of `build` depends on the file times of the
 * modules, which may be stored elsewhere.
 */
function imageOf({ build }: MatrixKernel): string | undefined {
  return build?.split('-')[1];
}

/** Candidates of a series have the same release. */
function nameOf({ release, version }: MatrixKernel): string {
  return release.includes(version) ? release : `${release} (${version})`;
}

/** All kernels of all parts, from the oldest to the newest, each planned as a whole. */
function mergedKernels(parts: readonly MatrixResults[]): MatrixKernel[] {
  const kernels = new Map<string, MatrixKernel>();
  for (const { kernel } of parts.flatMap((part) => part.kernels)) {
    const { share: _, failure, ...whole } = kernel;
    const known = kernels.get(kernel.name);
    const merged = known ?? { ...whole, slot: freeSlot(whole, [...kernels.values()]) };
    if (failure) merged.failure ??= failure;
    kernels.set(kernel.name, merged);
  }
  return [...kernels.values()].sort(byAge);
}

/** "2/4": the missing shards. Shards of other kernels belong to another matrix. */
function missingShards(parts: readonly { matrix: MatrixRecord }[]): string[] {
  const given = new Map<string, { count: number; indexes: Set<number> }>();
  for (const { shard, kernels } of parts.map(({ matrix }) => matrix)) {
    if (!shard) continue;
    const { index, count } = shard;
    const key = JSON.stringify([count, kernels.map(({ name }) => name)]);
    given.set(key, { count, indexes: new Set([...(given.get(key)?.indexes ?? []), index]) });
  }
  return [...given.values()].flatMap(({ count, indexes }) =>
    Array.from({ length: count }, (_, position) => position + 1)
      .filter((index) => !indexes.has(index))
      .map((index) => `${index}/${count}`),
  );
}
