/** What of a matrix has been performed, and what is open: a resumed matrix repeats nothing. */
import { keyOf, type TestRecord } from '../run/record.js';
import type { ExperimentKey, KernelResults, MatrixKernel, MatrixRecord } from './record.js';

/** The experiments that are to be performed on a kernel, in their order. */
export function plannedOn(
  { experiments }: Pick<MatrixRecord, 'experiments'>,
  { share }: MatrixKernel,
): ExperimentKey[] {
  return share === undefined ? [...experiments] : share.flatMap((position) => experiments[position] ?? []);
}

/** The records of a kernel by keyOf(), of all its runs: a later one replaces an earlier. */
export function recordsOf({ runs }: KernelResults): Map<string, { record: TestRecord; folder: string }> {
  return new Map(
    runs.flatMap(({ folder, records }) =>
      records.filter(wasPerformed).map((record) => [keyOf(record), { record, folder }] as const),
    ),
  );
}

/** An experiment that was cut short by an interruption has no verdict. */
function wasPerformed({ failure }: TestRecord): boolean {
  return failure?.code !== 'INTERRUPTED';
}

/** The experiments that are still to be performed on a kernel. */
export function openExperiments(matrix: MatrixRecord, kernel: KernelResults): ExperimentKey[] {
  const done = recordsOf(kernel);
  return plannedOn(matrix, kernel.kernel).filter((experiment) => !done.has(keyOf(experiment)));
}

/** Whether something is still to be performed on a kernel. */
export function isOpen(matrix: MatrixRecord, kernel: KernelResults): boolean {
  return openExperiments(matrix, kernel).length > 0;
}
