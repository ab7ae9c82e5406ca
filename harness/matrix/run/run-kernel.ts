/** One kernel's part of a matrix, in a separate process, so that its failure does not disturb other kernels. */
import { runApart } from '../../run/apart.js';
import type { TestRecord } from '../../run/record.js';
import type { GuestKernel } from './guest-setting.js';

/** The work on a kernel. */
export interface Work extends GuestKernel {
  /** The experiments, by keyOf(). */
  only: readonly string[];
  /** Number of parallel labs. */
  jobs: number;
  /** Whether the run probes the kernel's features. */
  probeFeatures: boolean;
  /** Folder for the run's own folder. */
  out: string;
  /** The matrix's command line, for the run's record. */
  arguments: readonly string[];
}

/** Receives the progress of a kernel's run. */
export interface KernelListener {
  remark?(line: string): void;
  ended?(record: TestRecord): void;
}

/** Memory of such a process in MiB. */
export const workerMemory = 100;

/**
 * Runs experiments on a kernel.
 * @returns the folder of the run. It has all results so far, even if the lab could not be built or the run was
 * interrupted
 * @throws MacvlabError WORKER_DIED if its process ended by itself; the error that kept a run from its beginning
 */
export async function runKernel(work: Work, listener: KernelListener, signal: AbortSignal): Promise<string> {
  const { kernel, modules, ...rest } = work;
  const guests: GuestKernel = { kernel, ...(modules !== undefined && { modules }) };
  const { folder } = await runApart(
    {
      plan: { ...rest, filters: [], lab: 'vm', bail: false, keep: 'never' },
      setting: { module: new URL('./guest-setting.js', import.meta.url).href, data: guests },
    },
    {
      ...{ what: kernel, signal },
      next: 'perform what is missing: macvlab matrix --resume; when it ends this way twice, report it with these lines',
      listener: {
        remark: (line) => listener.remark?.(line),
        testEnded: (record) => listener.ended?.(record),
      },
    },
  );
  return folder;
}
