/** The table of a matrix: experiments and features by kernels, and the differences between kernels. It is plain data, made from records. */
import type { RunRecord } from '../../run/record.js';
import { columnOf, type Performed, performedOn } from './columns.js';
import { differencesOf } from './differences.js';
import { featureRows } from './feature-rows.js';
import { Judging } from './judging.js';
import type { KnownDifference } from './known-difference.js';
import { knownDifferences } from './known-differences.js';
import { experimentKeyOf, type MatrixRecord, type MatrixResults } from '../record.js';
import { Subjects } from './subjects.js';
import { plannedOn } from '../plan/todo.js';
import type { Difference, KernelTable, TableRow } from './kernel-table.js';

/**
 * Makes the table of a matrix. The same records give the same table, in any number of runs and shards and in any order.
 * A kernel without a part in the shard has no column.
 * @param known the known differences that judge the cells
 */
export function tableOf(results: MatrixResults, known: readonly KnownDifference[] = knownDifferences): KernelTable {
  const { matrix } = results;
  const performed = results.kernels
    .filter(({ kernel }) => plannedOn(matrix, kernel).length > 0)
    .map((kernel) => performedOn(results, kernel));
  const columns = performed.map(columnOf);
  const subjects = new Subjects(known);
  const judging = new Judging(columns, subjects);
  const rows = matrix.experiments.map((experiment, row): TableRow => {
    const cells = performed.flatMap((kernel) => kernel.cells[row] ?? []);
    return { ...experimentKeyOf(experiment), cells: judging.experiment(experiment, cells) };
  });
  const features = featureRows(performed).map((row) => ({ ...row, cells: judging.feature(row.name, row.cells) }));
  const differences = differencesOf(columns, rows, features, subjects);
  const named = new Set([...judging.named, ...differences.flatMap(namesOf)]);
  return {
    startedAt: beginning(matrix, performed),
    macvlab: distinct(performed, ({ macvlab }) => macvlab, matrix.macvlab),
    machines: distinct(performed, ({ machine }) => machine, matrix.machine),
    complete: performed.every(({ missing }) => missing === 0),
    ...{ columns, rows, features, differences },
    known: known.filter(({ name }) => named.has(name)),
  };
}

function namesOf({ changes }: Difference): string[] {
  return changes.flatMap(({ explained }) => explained);
}

/** ISO 8601 in UTC sorts by its characters. */
function beginning(matrix: MatrixRecord, performed: readonly Performed[]): string {
  const records = performed.flatMap((kernel) => kernel.records.map(({ startedAt }) => startedAt));
  const runs = performed.flatMap((kernel) => kernel.runs.map(({ run }) => run.startedAt));
  const [first = matrix.startedAt] = (records.length > 0 ? records : runs).sort();
  return first;
}

function distinct(performed: readonly Performed[], of: (run: RunRecord) => string, otherwise: string): string[] {
  const found = new Set(performed.flatMap(({ runs }) => runs.map(({ run }) => of(run))));
  return found.size > 0 ? [...found].sort() : [otherwise];
}
