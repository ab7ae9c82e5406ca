/** The folder of a matrix: `matrix.json`, and the runs of each kernel below `kernels/<slot>/`. */
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import { asJson, makeFolders, pointAt, writeWhole, writing } from '../core/report-files.js';
import { macvlanModes } from '../link/macvlan.js';
import { failureSchema, readAs, readingOf, readRun } from '../run/read-run.js';
import { keyOfOldTitle } from '../run/keys/old-titles.js';
import { keyOf, type RunResults } from '../run/record.js';
import type { KernelResults, MatrixKernel, MatrixRecord, MatrixResults } from './record.js';

/** Next to the matrices' folders, a symbolic link to the one that began last. */
const latestMatrix = 'latest-matrix';

const description = 'matrix.json';

/**
 * Makes `<out>/<matrix.id>/` with its `matrix.json`, and points `<out>/latest-matrix` at it. On failure there is no
 * folder.
 * @param fill writes more files into the given folder
 * @returns its absolute path
 * @throws MacvlabError OUT_NOT_WRITABLE; what `fill` throws
 */
export function createMatrixFolder(out: string, matrix: MatrixRecord, fill?: (folder: string) => void): string {
  const folder = join(resolve(out), matrix.id);
  writing(out, () => {
    makeFolders(resolve(out));
    mkdirSync(folder);
  });
  try {
    fill?.(folder);
    writeMatrixRecord(folder, matrix);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  pointAt(resolve(out), matrix.id, latestMatrix);
  return folder;
}

/** Writes `matrix.json` again. @throws MacvlabError OUT_NOT_WRITABLE */
export function writeMatrixRecord(folder: string, matrix: MatrixRecord): void {
  writeMatrixFile(folder, description, asJson(matrix));
}

/** Writes a report of the matrix, "table.md", and returns its path. @throws MacvlabError OUT_NOT_WRITABLE */
export function writeMatrixFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writing(folder, () => writeWhole(path, text));
  return path;
}

/** The folder for the runs of a kernel. */
export function slotFolder(folder: string, { slot }: Pick<MatrixKernel, 'slot'>): string {
  return join(folder, 'kernels', slot);
}

/** A kernel's slot, or a similar one that no other kernel has. */
export function freeSlot({ slot }: Pick<MatrixKernel, 'slot'>, taken: readonly Pick<MatrixKernel, 'slot'>[]): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slot : `${slot}-${number}`;
    if (!taken.some((kernel) => kernel.slot === candidate)) return candidate;
  }
}

/**
 * Reads a matrix, also one that still runs or was killed.
 * @returns the matrix with its real folder: "latest-matrix" may point to another one before this one has ended
 * @throws MacvlabError USAGE naming the file that is missing, truncated or not a record
 */
export async function readMatrix(folder: string): Promise<MatrixResults> {
  const path = existsSync(folder) ? realpathSync(folder) : resolve(folder);
  const matrix = readAs(matrixRecord, join(path, description));
  const slots = foldersIn(path).includes('kernels') ? foldersIn(join(path, 'kernels')) : [];
  const kernels = await Promise.all(
    matrix.kernels.map(async (kernel): Promise<KernelResults> => {
      return { kernel, runs: slots.includes(kernel.slot) ? await readRuns(slotFolder(path, kernel)) : [] };
    }),
  );
  return { folder: path, matrix, kernels };
}

async function readRuns(slot: string): Promise<RunResults[]> {
  // A run that was killed before it wrote anything does not count.
  const names = foldersIn(slot).filter((name) => existsSync(join(slot, name, 'run.json')));
  // A run's name begins with its date.
  return Promise.all(names.sort().map((name) => readRun(join(slot, name))));
}

/** Links do not count: a matrix from another user must not lead outside its own folder. */
function foldersIn(path: string): string[] {
  return readingOf(path, () => readdirSync(path, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

const text = z.string().min(1);
const count = z.int().nonnegative();
/** A part of a path. */
const slot = z.string().regex(/^(?!\.)[\w.-]+$/, 'is not the name of a folder');

const matrixKernel = z.looseObject({
  name: text,
  spec: text,
  version: text,
  release: text,
  origin: z.string().exactOptional(),
  modules: z.string().exactOptional(),
  build: z.string().exactOptional(),
  slot,
  share: z.array(count).exactOptional(),
  failure: failureSchema.exactOptional(),
});

/** The fields of a MatrixRecord that both schemas have. */
const commonMatrix = {
  id: slot,
  macvlab: text,
  arguments: z.array(z.string()),
  machine: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().exactOptional(),
  durationMs: z.number().exactOptional(),
  interrupted: z.boolean(),
  filters: z.array(z.string()),
  mode: z.enum(macvlanModes).exactOptional(),
  shard: z.object({ index: z.int().positive(), count: z.int().positive() }).exactOptional(),
  kernels: z.array(matrixKernel).min(1),
};

const oldExperiment = z.looseObject({ id: text, title: z.string(), suite: z.string(), file: z.string() });
const experiment = oldExperiment.extend({ key: text, aliases: z.array(text).exactOptional() });

/** MatrixRecord of record.ts, as JSON; experiments of schema 1 get the keys that belong to their ids and titles. */
const matrixRecord: z.ZodType<MatrixRecord> = z
  .discriminatedUnion('schema', [
    z.looseObject({ schema: z.literal(2), ...commonMatrix, experiments: z.array(experiment).min(1) }),
    z
      .looseObject({ schema: z.literal(1), ...commonMatrix, experiments: z.array(oldExperiment).min(1) })
      .transform((matrix) => ({
        ...matrix,
        schema: 2 as const,
        experiments: matrix.experiments.map((each) => ({ ...each, key: keyOfOldTitle(each) })),
      })),
  ])
  .superRefine(({ shard, kernels, experiments }, context) => {
    if (shard && (shard.index > shard.count || shard.count > kernels.length * experiments.length))
      context.addIssue(`there can be no part ${shard.index}/${shard.count}`);
    for (const each of ['name', 'slot'] as const)
      if (hasTwins(kernels.map((kernel) => kernel[each]))) context.addIssue(`two kernels have the same ${each}`);
    if (hasTwins(experiments.map(keyOf))) context.addIssue('an experiment is there twice');
    for (const { share = [] } of kernels)
      if (hasTwins(share) || share.some((position) => position >= experiments.length))
        context.addIssue('a share is not of its experiments');
  });

function hasTwins(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length;
}

/** The folder of the matrix that began last below `out`. @throws MacvlabError USAGE if there is none */
export function findLatestMatrix(out: string): string {
  const folder = join(resolve(out), latestMatrix);
  if (existsSync(join(folder, description))) return folder;
  throw new MacvlabError('USAGE', `there is no matrix in ${out}`, {
    next: 'name its folder, or begin one: macvlab matrix --kernels 6.1,6.12',
  });
}
