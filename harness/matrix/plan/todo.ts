/** The finished and the open experiments of a matrix: a resumed matrix repeats nothing. */
import { keyOf, type TestRecord } from '../../run/record.js';
import type { ExperimentKey, KernelResults, MatrixKernel, MatrixRecord } from '../record.js';

/** The planned experiments of a kernel, in their order. */
export function plannedOn(
  { experiments }: Pick<MatrixRecord, 'experiments'>,
  { share }: MatrixKernel,
): ExperimentKey[] {
  return share === undefined ? [...experiments] : share.flatMap((position) => experiments[position] ?? []);
}

/** The records of a kernel by keyOf(), from all its runs; a later record replaces an earlier one. */
export function recordsOf({ runs }: KernelResults): Map<string, { record: TestRecord; folder: string }> {
  return new Map(
    runs.flatMap(({ folder, records }) =>
      records.filter(wasPerformed).map((record) => [keyOf(record), { record, folder }] as const),
    ),
  );
}

/** An experiment that an interruption ended has no verdict. */
function wasPerformed({ failure }: TestRecord): boolean {
  return failure?.code !== 'INTERRUPTED';
}

/** The planned experiments of a kernel that have not run yet. */
export function openExperiments(matrix: MatrixRecord, kernel: KernelResults): ExperimentKey[] {
  const done = recordsOf(kernel);
  return plannedOn(matrix, kernel.kernel).filter((experiment) => !done.has(keyOf(experiment)));
}

/** Whether a kernel has open experiments. */
export function isOpen(matrix: MatrixRecord, kernel: KernelResults): boolean {
  return openExperiments(matrix, kernel).length > 0;
}
