/** The action of `macvlab bisect`. */
import { availableParallelism, hostname } from 'node:os';
import { exitCode, MacvlabError } from '../../core/error.js';
import { version } from '../../core/version.js';
import { knownKernels } from '../../kernel/debian/known-kernels.js';
import { guestsThatFit } from '../../machine/qemu/memory.js';
import { createBisectionFolder } from '../../matrix/bisect/bisection-folder.js';
import type { BisectionRecord } from '../../matrix/bisect/bisection-record.js';
import { kernelsBetween } from '../../matrix/bisect/kernels-between.js';
import { performBisection } from '../../matrix/bisect/perform-bisection.js';
import { experimentKeyOf } from '../../matrix/record.js';
import { prepareMachine } from '../../matrix/run/run-matrix.js';
import {
  bisectionOpening,
  bisectionSummary,
  criteriaLines,
  stepLine,
  triedLine,
} from '../../report/bisection/summary.js';
import { loadCatalogue, select, type Experiment } from '../../run/suite/catalogue.js';
import { newRunId } from '../../run/run-folder.js';
import { untilInterrupted } from '../interruption.js';
import { notice, print, printJson } from '../output.js';

export interface BisectOptions {
  good: string;
  bad: string;
  series?: true;
  jobs?: number;
  out: string;
  json?: true;
}

/** Default number of kernels tried at the same time: each costs a download, and a processor and a half. */
const atOnce = 3;

/** @returns the exit code */
export async function bisect(filter: string, options: BisectOptions): Promise<number> {
  if (options.out === '') {
    throw new MacvlabError('USAGE', 'the folder for reports has an empty name', {
      next: 'name a folder with --out',
    });
  }
  const tell = options.json ? notice : print;
  const signal = untilInterrupted('the bisection ends, and prints the partial result');
  const record = await plan(filter, options, signal);
  signal.throwIfAborted();
  const folder = createBisectionFolder(options.out, record);
  tell(bisectionOpening(record));
  await performBisection(folder, record, {
    jobs: options.jobs ?? Math.max(1, Math.min(atOnce, Math.floor(availableParallelism() / 2), guestsThatFit())),
    signal,
    listener: {
      remark: notice,
      trying: (kernels, step, of) => tell(stepLine(kernels, step, of)),
      tried: (kernel, told) => tell(triedLine(kernel, told)),
      differs: (record) => tell('they differ in', ...criteriaLines(record)),
    },
  });
  tell('', ...bisectionSummary(folder, record));
  if (options.json) printJson({ folder, ...record });
  return record.interrupted ? exitCode.interrupted : record.failure ? exitCode.lab : exitCode.ok;
}

/** Plans the bisection, before anything is created. @throws MacvlabError for wrong usage, or for a machine without guests */
async function plan(filter: string, options: BisectOptions, signal: AbortSignal): Promise<BisectionRecord> {
  const experiments = select(await loadCatalogue(), { filters: [filter] });
  refuseSeveral(filter, experiments);
  const known = await knownKernels({ signal, onProgress: notice, onMissing: (error) => notice(error.format()) });
  const { good, bad, series: seriesOnly = false } = options;
  const row = kernelsBetween(known, { good, bad, seriesOnly });
  const ends = [row.kernels[0], row.kernels.at(-1)].filter((kernel) => kernel !== undefined);
  await prepareMachine(ends, notice, signal);
  return {
    ...{ schema: 2, id: newRunId(), macvlab: version(), arguments: process.argv.slice(2), machine: hostname() },
    ...{ startedAt: new Date().toISOString(), interrupted: false, filter, seriesOnly, ...row, criteria: [] },
    experiments: experiments.map(experimentKeyOf),
  };
}

/** Experiments of one id are one row of an article's table. Those of several ids may each have changed with another kernel. */
function refuseSeveral(filter: string, experiments: readonly Experiment[]): void {
  const ids = [...new Set(experiments.map(({ id }) => id))];
  if (ids.length <= 1) return;
  throw new MacvlabError('USAGE', `"${filter}" means ${ids.length} experiments, and one can be looked for at a time`, {
    evidence: `they are: ${ids.join(' ')}`,
    next: `name one of them by its id (${ids[0] ?? ''}) or its key; \`macvlab list\` shows both`,
  });
}
