/** The table of a matrix: experiments and features by kernels, and what differs between them. Plain data, made from records. */
import type { Failure, FeatureRecord, RunRecord, Verdict } from '../run/record.js';
import { columnOf, type Performed, performedOn } from './columns.js';
import { differencesOf } from './differences.js';
import { featureRows } from './feature-rows.js';
import { Judging } from './judging.js';
import type { KnownDifference } from './known-difference.js';
import { knownDifferences } from './known-differences.js';
import type { ExperimentKey, MatrixRecord, MatrixResults } from './record.js';
import { Subjects } from './subjects.js';
import { plannedOn } from './todo.js';

/** A kernel's column. */
export interface TableColumn {
  /** "6.12" */
  name: string;
  /** "6.12.117" */
  version: string;
  release: string;
  origin?: string;
  /** Of "missing" those alone that were planned. */
  counts: Record<Verdict | 'missing', number>;
  /** What kept the kernel as a whole from its verdicts, or came behind the last of them. */
  failure?: Failure;
}

/** What became of an experiment on a kernel. */
export interface Cell {
  /** "missing" when it has not been performed (yet), or is the part of another shard, and no error says why. */
  verdict: Verdict | 'missing';
  reason?: string;
  /** Of a failure or error, all of it. */
  failure?: Failure;
  /** Milliseconds that it took; absent where it has no record. */
  durationMs?: number;
  observed: Record<string, string | number | boolean>;
  /**
   * Name of the known difference by which this failure or skip was expected; where it has passed, of one by which a value was.
   * A failure without it is unexpected, whatever its values are.
   */
  expected?: string;
  /** In a sentence, what is not as a known difference says: it no longer fails, or another value was seen. */
  alarm?: string;
  /** The folder of its evidence, relative to the matrix's. */
  evidence?: string;
}

export interface TableRow extends ExperimentKey {
  /** One per column. */
  cells: Cell[];
}

/** What a kernel makes of a feature; `expected` and `alarm` as in a {@link Cell}. */
export interface FeatureCell extends Pick<FeatureRecord, 'state' | 'words'> {
  expected?: string;
  alarm?: string;
}

export interface FeatureRow {
  group: string;
  name: string;
  /** One per column; undefined where it was not asked. */
  cells: (FeatureCell | undefined)[];
}

/** A step from a kernel to the next one that tells. */
export interface Change {
  /** Name of the first kernel that has it, "7.2". */
  since: string;
  /** Name of the last one that had it otherwise, "6.18". */
  after: string;
  from: string;
  to: string;
  /** Names of the known differences that say so; empty when it is unexplained. */
  explained: string[];
}

/** Something that is not the same on all kernels that were asked. */
export interface Difference {
  kind: 'verdict' | 'observed' | 'feature';
  /** keyOf() of the experiment, "X3.1 bridge, hairpin on: multicast"; or the feature’s group and name, "bridge port: hairpin". */
  subject: string;
  /** Of an observed value, its name. */
  value?: string;
  /** From the oldest on; never empty. */
  changes: Change[];
  /** Names of the known differences that together explain each of the changes; empty when one of them is unexplained. */
  explained: string[];
}

export interface KernelTable {
  /** When the first of its experiments began, ISO 8601. */
  startedAt: string;
  /** Versions of macvlab that performed it, sorted; nearly always one. */
  macvlab: string[];
  machines: string[];
  /** Whether all that was planned has a record. */
  complete: boolean;
  columns: TableColumn[];
  rows: TableRow[];
  features: FeatureRow[];
  /** Experiments first, in the order of the rows. */
  differences: Difference[];
  /** The known differences that something above names, with their reasons and sources. */
  known: KnownDifference[];
}

/**
 * The table of what a matrix has come to. It is the same for the same records, in however many runs and shards they were
 * performed, and in whatever order those stand. A kernel that a shard has no part in is no column of it.
 * @param known the known differences by which cells are judged
 */
export function tableOf(results: MatrixResults, known: readonly KnownDifference[] = knownDifferences): KernelTable {
  const { matrix } = results;
  const performed = results.kernels
    .filter(({ kernel }) => plannedOn(matrix, kernel).length > 0)
    .map((kernel) => performedOn(results, kernel));
  const columns = performed.map(columnOf);
  const subjects = new Subjects(known);
  const judging = new Judging(columns, subjects);
  const rows = matrix.experiments.map(({ id, title, suite, file }, row): TableRow => {
    const cells = performed.flatMap((kernel) => kernel.cells[row] ?? []);
    return { ...{ id, title, suite, file }, cells: judging.experiment({ id, title }, cells) };
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
