/** The run of a matrix: as many guests at the same time as there is room for, and a separate run for each kernel. */
import { hostname } from 'node:os';
import { MacvlabError } from '../../core/error.js';
import { version } from '../../core/version.js';
import { unless } from '../../core/wait.js';
import { loadDriver } from '../../machine/drivers.js';
import type { MacvlanMode } from '../../link/macvlan.js';
import { loadCatalogue, select } from '../../run/suite/catalogue.js';
import { failureRecord } from '../../run/failure.js';
import { type Failure, keyOf, type TestRecord } from '../../run/record.js';
import { readRun } from '../../run/read-run.js';
import { newRunId } from '../../run/run-folder.js';
import { claimMatrix } from './claim.js';
import { readMatrix, slotFolder, writeMatrixRecord } from '../folder.js';
import { runKernel } from './run-kernel.js';
import {
  type ExperimentKey,
  experimentKeyOf,
  type KernelResults,
  type MatrixKernel,
  type MatrixRecord,
  type MatrixResults,
} from '../record.js';
import { type Shard, shareOut } from '../plan/shard.js';
import { isOpen, openExperiments } from '../plan/todo.js';

/** Receives the progress of a matrix. */
export interface MatrixListener {
  remark(line: string): void;
  /** @param total number of experiments that run on it now */
  kernelStarted(kernel: MatrixKernel, total: number): void;
  testEnded(kernel: MatrixKernel, record: TestRecord): void;
  /** @param failure the failure of the whole run, or of its end */
  kernelEnded(kernel: MatrixKernel, failure: Failure | undefined): void;
  end(): void;
}

export interface MatrixOptions {
  /** Number of parallel guests. */
  jobs: number;
  /** SIGINT or SIGTERM aborts it: finished results stay, and the matrix can be resumed. */
  signal: AbortSignal;
  listener: MatrixListener;
}

export interface MatrixChoice {
  kernels: readonly MatrixKernel[];
  experiments: readonly ExperimentKey[];
  filters: readonly string[];
  mode?: MacvlanMode | undefined;
  shard?: Shard | undefined;
  /** The command line after `macvlab`. */
  arguments: readonly string[];
}

/** The record of a matrix that has not begun. @throws MacvlabError USAGE for an impossible part */
export function planMatrix(choice: MatrixChoice): MatrixRecord {
  const { kernels, experiments, filters, mode, shard } = choice;
  return {
    schema: 2,
    id: newRunId(),
    macvlab: version(),
    arguments: [...choice.arguments],
    machine: hostname(),
    startedAt: new Date().toISOString(),
    interrupted: false,
    filters: [...filters],
    ...(mode !== undefined && { mode }),
    ...(shard && { shard }),
    kernels: shard ? shareOut(kernels, experiments, shard) : [...kernels],
    experiments: experiments.map(experimentKeyOf),
  };
}

/**
 * Makes once what all kernels' guests share, so that workers find it: the root image, and the result of the KVM check.
 * An error of one kernel is left to its own column.
 * @throws MacvlabError for an error that concerns all kernels: TOOL_MISSING, CACHE_NOT_WRITABLE ...; the signal's
 * reason
 */
export async function prepareMachine(
  kernels: readonly MatrixKernel[],
  remark: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (const { spec, modules } of kernels) {
    const driver = await loadDriver('vm', {
      kernel: spec,
      ...(modules !== undefined && { modules }),
      guests: 1,
      remark,
    });
    try {
      await unless(signal, Promise.resolve(driver.prepare?.()));
      return;
    } catch (error) {
      if (!isOfKernel(error)) throw error;
    }
  }
}

function isOfKernel(error: unknown): boolean {
  return error instanceof MacvlabError && error.code.startsWith('KERNEL_');
}

/**
 * Runs the open experiments of a matrix. Its folder then contains all results.
 * @throws MacvlabError USAGE if another process runs it, or if this macvlab lacks one of its experiments;
 *   OUT_NOT_WRITABLE, after all running work has ended properly
 */
export async function runMatrix(given: string, { jobs, signal, listener }: MatrixOptions): Promise<void> {
  const { folder, matrix, kernels } = await readMatrix(given);
  const release = await claimMatrix(folder);
  try {
    const open = kernels.filter((kernel) => isOpen(matrix, kernel));
    await refuseUnknown(open.flatMap((kernel) => openExperiments(matrix, kernel)));
    const began = performance.now();
    delete matrix.endedAt;
    matrix.interrupted = false;
    for (const { kernel } of open) delete kernel.failure;
    writeMatrixRecord(folder, matrix);
    await performAll({ folder, matrix, kernels }, longestFirst(open), { jobs, signal, listener });
    matrix.interrupted = signal.aborted;
    matrix.endedAt = new Date().toISOString();
    matrix.durationMs = (matrix.durationMs ?? 0) + Math.round(performance.now() - began);
    writeMatrixRecord(folder, matrix);
  } finally {
    release();
    listener.end();
  }
}

/** @throws MacvlabError USAGE, because it concerns all kernels */
async function refuseUnknown(experiments: readonly ExperimentKey[]): Promise<void> {
  if (experiments.length > 0) select(await loadCatalogue(), { filters: [], only: new Set(experiments.map(keyOf)) });
}

async function performAll(
  { folder, matrix }: MatrixResults,
  waiting: KernelResults[],
  { jobs, signal, listener }: MatrixOptions,
): Promise<void> {
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  const running = new Set<Promise<void>>();
  let free = jobs;
  while (waiting.length > 0 && !ending.aborted) {
    if (free === 0) {
      await Promise.race(running);
      continue;
    }
    const next = waiting.shift();
    if (!next) break;
    const open = openExperiments(matrix, next);
    // Spare guests go to the kernels that take longest, up to their number of suite files.
    const labs = Math.min(Math.ceil(free / (waiting.length + 1)), new Set(open.map(({ file }) => file)).size);
    free -= labs;
    const work = perform(next.kernel, open.map(keyOf), labs)
      // An unwritable result ends all work properly.
      .catch((error: unknown) => failing.abort(error))
      .finally(() => {
        free += labs;
        running.delete(work);
      });
    running.add(work);
  }
  await Promise.all(running);
  failing.signal.throwIfAborted();

  async function perform(kernel: MatrixKernel, only: readonly string[], labs: number): Promise<void> {
    const { name, spec, modules } = kernel;
    listener.kernelStarted(kernel, only.length);
    const work = {
      ...{ kernel: spec, ...(modules !== undefined && { modules }), only, jobs: labs, probeFeatures: true },
      ...{ out: slotFolder(folder, kernel), arguments: matrix.arguments },
    };
    const tell = {
      remark: (line: string) => listener.remark(`${name}: ${line}`),
      ended: (record: TestRecord) => listener.testEnded(kernel, record),
    };
    let failure: Failure | undefined;
    try {
      const { run } = await readRun(await runKernel(work, tell, ending));
      failure = run.failure;
    } catch (error) {
      if (!ending.aborted) failure = kernel.failure = failureRecord(error);
      writeMatrixRecord(folder, matrix);
    } finally {
      listener.kernelEnded(kernel, failure);
    }
  }
}

/** Newer kernels take longer: they are bigger, and do more for each command. */
function longestFirst(kernels: readonly KernelResults[]): KernelResults[] {
  return kernels.toReversed();
}
