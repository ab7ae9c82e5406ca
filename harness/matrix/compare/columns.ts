/** One kernel's column: the joined results of its runs. */
import { dirname, join, relative } from 'node:path';
import { type Failure, keyOf, type FeatureRecord, type RunResults, type TestRecord } from '../../run/record.js';
import type { KernelResults, MatrixKernel, MatrixResults } from '../record.js';
import type { Cell } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';
import { plannedOn, recordsOf } from '../plan/todo.js';

/** The results of a kernel, before the comparison with others. */
export interface Performed {
  kernel: MatrixKernel;
  /** The oldest first. */
  runs: RunResults[];
  /** The records that count. */
  records: TestRecord[];
  /** One per experiment of the matrix. */
  cells: Cell[];
  /** By name. */
  features: Map<string, FeatureRecord>;
  /** Number of planned experiments that have no record, and no failure as the reason. */
  missing: number;
  failure?: Failure;
}

/** Joins the results of a kernel's runs, which may be in any order. */
export function performedOn({ folder, matrix }: MatrixResults, results: KernelResults): Performed {
  const { kernel } = results;
  const runs = results.runs.toSorted(
    (a, b) => compare(a.run.startedAt, b.run.startedAt) || compare(a.run.id, b.run.id),
  );
  const records = recordsOf({ kernel, runs });
  const planned = new Set(plannedOn(matrix, kernel).map(keyOf));
  const isOpen = [...planned].some((key) => !records.has(key));
  const failure = kernel.failure ?? failureOf(runs, isOpen);
  const cells = matrix.experiments.map((experiment): Cell => {
    const key = keyOf(experiment);
    const found = records.get(key);
    if (found) return cellOf(found.record, relative(folder, found.folder));
    if (!planned.has(key)) return { verdict: 'missing', reason: 'part of another shard', observed: {} };
    return withoutRecord(failure);
  });
  return {
    ...{ kernel, runs, cells },
    records: [...records.values()].map(({ record }) => record),
    features: new Map(runs.flatMap(({ run }) => run.features ?? []).map((feature) => [feature.name, feature])),
    missing: failure ? 0 : [...planned].filter((key) => !records.has(key)).length,
    ...(failure && { failure }),
  };
}

/** The column's head. */
export function columnOf({ kernel, cells, missing, failure }: Performed): TableColumn {
  const { name, version, release, origin } = kernel;
  const counts: TableColumn['counts'] = { passed: 0, failed: 0, skipped: 0, error: 0, missing };
  for (const { verdict } of cells) if (verdict !== 'missing') counts[verdict] += 1;
  return { name, version, release, ...(origin !== undefined && { origin }), counts, ...(failure && { failure }) };
}

/**
 * The failure that kept a kernel from its verdicts: the last failure of a run that left experiments open. It no longer
 * counts when all experiments have run. A failure after all tests of a run still counts.
 */
function failureOf(runs: readonly RunResults[], isOpen: boolean): Failure | undefined {
  const failed = runs.filter(({ run, records }) => run.failure && (isOpen || records.length >= run.planned));
  return failed.at(-1)?.run.failure;
}

function cellOf({ verdict, reason, failure, observed, durationMs, evidence }: TestRecord, run: string): Cell {
  const why = reason ?? failure?.message;
  const [first] = evidence;
  return {
    verdict,
    ...(why !== undefined && { reason: why }),
    ...(failure && { failure }),
    observed,
    durationMs,
    ...(first && { evidence: join(run, dirname(first.file)) }),
  };
}

function withoutRecord(failure: Failure | undefined): Cell {
  if (failure) return { verdict: 'error', reason: failure.message, failure, observed: {} };
  return { verdict: 'missing', reason: 'not performed', observed: {} };
}

/** Compares ISO 8601 dates and ids by their characters. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
