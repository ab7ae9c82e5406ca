/** Folders of matrices in the state after a run, written by the harness's own code. */
import { join } from 'node:path';
import { createMatrixFolder, slotFolder } from '../../matrix/folder.js';
import { aKernel, aMatrix, aRecordOf, aRunOf } from '../../matrix/matrix.test-support.js';
import type { ExperimentKey } from '../../matrix/record.js';
import type { TestRecord } from '../../run/record.js';
import { newRunId, RunFolder } from '../../run/run-folder.js';

/**
 * Writes a matrix of one kernel in which all experiments have passed except the named ones.
 * @param out where its folder is created, as with --out
 * @param startedAt ISO 8601
 * @returns the matrix's folder
 */
export function leaveMatrix(
  out: string,
  { version, release, experiments }: { version: string; release: string; experiments: readonly ExperimentKey[] },
  { startedAt, failing = [] }: { startedAt: string; failing?: readonly string[] },
): string {
  const kernel = aKernel(version, { spec: release, release });
  const id = newRunId(new Date(startedAt));
  const folder = createMatrixFolder(
    out,
    aMatrix({ id, kernels: [kernel], experiments: [...experiments], startedAt, endedAt: startedAt }),
  );
  const records = experiments.map((experiment, position): TestRecord => {
    const number = position + 1;
    const record = { ...aRecordOf(0), ...experiment, number, startedAt, kernel: release, evidence: [] };
    if (!failing.includes(experiment.id)) return record;
    return {
      ...record,
      verdict: 'failed',
      failure: { code: 'ASSERTION', message: 'expected an answer, and none came' },
    };
  });
  const { run } = aRunOf(kernel, records, { id, startedAt, endedAt: startedAt });
  const runFolder = RunFolder.create(slotFolder(folder, kernel), run);
  for (const record of records) runFolder.writeRecord(record);
  runFolder.write(join('evidence', 'note.txt'), 'seen\n');
  return folder;
}
