/** Matrices on disk, for unit tests. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../run/run-folder.js';
import { createMatrixFolder, slotFolder } from './folder.js';
import type { KernelResults, MatrixRecord } from './record.js';

/** Writes a finished matrix, with evidence in each run. @returns its folder */
export function putMatrix(out: string, matrix: MatrixRecord, kernels: readonly KernelResults[] = []): string {
  const folder = createMatrixFolder(out, matrix);
  for (const { kernel, runs } of kernels) {
    for (const { run, records } of runs) {
      const written = RunFolder.create(slotFolder(folder, kernel), run);
      for (const record of records) {
        written.writeRecord(record);
        writeFileSync(join(written.evidenceFolder(record).absolute, 'node1.pcap'), `frames of ${kernel.name}`);
      }
      written.finish(run);
    }
  }
  return folder;
}
