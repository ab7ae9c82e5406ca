/**
 * A baseline: the results of a matrix in a small file, to compare the next one with. It is plain JSON with one line per
 * experiment, suitable for git.
 */
import { keyOf, type FeatureState, type Verdict } from '../../run/record.js';
import { hasKey } from '../../run/keys/key.js';
import { MacvlabError } from '../../core/error.js';
import type { ObservedValue } from './known-difference.js';
import type { KernelTable } from './kernel-table.js';
import type { Cell } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';

export interface BaselineExperiment {
  /** keyOf() of the experiment. */
  experiment: string;
  verdict: Verdict;
  /** True after an error in the last matrix. The other fields are from an earlier matrix: an error does not replace its result. */
  error?: boolean;
  /** Name of the known difference that expects this failure or skip. */
  expected?: string;
  alarm?: string;
  /** Sorted by name; absent if there is none. */
  observed?: Record<string, ObservedValue>;
}

export interface BaselineFeature {
  /** Its name, without the group. */
  feature: string;
  state: FeatureState;
  alarm?: string;
}

export interface BaselineKernel {
  /** The column's name. It identifies the kernel in the next matrix; the version does not. */
  name: string;
  version: string;
  release: string;
  /** The failure of the kernel as a whole. */
  failure?: string;
  experiments: BaselineExperiment[];
  features: BaselineFeature[];
}

export interface Baseline {
  /** Schema 1 named experiments by id and title; {@link ./baseline-file.js} finds their keys. */
  schema: 2;
  /** When the matrix began, ISO 8601. */
  date: string;
  macvlab: string[];
  kernels: BaselineKernel[];
}

/**
 * Makes a baseline from a table.
 * @param previous the baseline of the comparison. If the table has an error, the previous result stays. Otherwise a
 * change after a night of errors would stay unnoticed.
 * @throws MacvlabError NO_EVIDENCE if the table is incomplete: missing experiments would count as vanished
 */
export function baselineOf(table: KernelTable, previous?: Baseline): Baseline {
  if (!table.complete || table.columns.length === 0) throw incomplete(table);
  const { startedAt, macvlab, columns } = table;
  const kernels = columns.map((column, position): BaselineKernel => {
    const { name, version, release, failure } = column;
    const before = previous?.kernels.find((kernel) => kernel.name === name);
    return {
      ...{ name, version, release },
      ...(failure && { failure: `${failure.code}: ${failure.message}` }),
      experiments: experimentsOf(table, position, before),
      features: featuresOf(table, position, before),
    };
  });
  return { schema: 2, date: startedAt, macvlab: [...macvlab], kernels };
}

function experimentsOf({ rows }: KernelTable, position: number, before?: BaselineKernel): BaselineExperiment[] {
  return rows.flatMap((row) => {
    const key = keyOf(row);
    const cell = row.cells[position];
    if (!cell || cell.verdict === 'missing') return [];
    const known = before?.experiments.find(({ experiment }) => hasKey(row, experiment));
    if (cell.verdict === 'error' && known && known.verdict !== 'error')
      return [{ ...known, experiment: key, error: true }];
    return [{ experiment: key, verdict: cell.verdict, ...marks(cell), ...observedBy(cell) }];
  });
}

function marks({ verdict, expected, alarm }: Cell): Pick<BaselineExperiment, 'expected' | 'alarm'> {
  return {
    ...(expected !== undefined && verdict !== 'passed' && { expected }),
    ...(alarm !== undefined && { alarm }),
  };
}

function observedBy({ observed }: Cell): Pick<BaselineExperiment, 'observed'> {
  const values = Object.entries(observed).sort(([one], [other]) => (one < other ? -1 : 1));
  return values.length > 0 ? { observed: Object.fromEntries(values) } : {};
}

/** A kernel without probed features, because it did not boot, keeps the features that it had. */
function featuresOf({ features }: KernelTable, position: number, before?: BaselineKernel): BaselineFeature[] {
  const asked = features.flatMap(({ name, cells }): BaselineFeature[] => {
    const cell = cells[position];
    if (!cell) return [];
    const { state, alarm } = cell;
    return [{ feature: name, state, ...(alarm !== undefined && { alarm }) }];
  });
  return asked.length > 0 ? asked : (before?.features ?? []);
}

function incomplete({ columns }: Pick<KernelTable, 'columns'>): MacvlabError {
  const open = columns.filter(({ counts }: TableColumn) => counts.missing > 0);
  return new MacvlabError('NO_EVIDENCE', 'no baseline is made of a matrix that is not complete', {
    evidence: open
      .map(({ name, counts }) => `${name}: ${counts.missing} experiments have not been performed`)
      .join('\n'),
    next: 'perform the rest with macvlab matrix --resume, or merge all shards',
  });
}

/** A baseline as text: equal baselines give equal text, and a change in one experiment changes one line. */
export function formatBaseline({ schema, date, macvlab, kernels }: Baseline): string {
  const head = { schema, date, macvlab };
  return `{\n${members(head, 1)},\n${indent(1)}"kernels": ${list(kernels.map(formatKernel), 1)}\n}\n`;
}

function formatKernel({ experiments, features, ...head }: BaselineKernel): string {
  const lines = (items: readonly object[]) =>
    list(
      items.map((item) => JSON.stringify(item)),
      3,
    );
  const lists = [`"experiments": ${lines(experiments)}`, `"features": ${lines(features)}`];
  return `{\n${members(head, 3)},\n${lists.map((each) => `${indent(3)}${each}`).join(',\n')}\n${indent(2)}}`;
}

function members(object: object, depth: number): string {
  return Object.entries(object)
    .map(([key, value]) => `${indent(depth)}${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(',\n');
}

/** The items, one per line. */
function list(items: readonly string[], depth: number): string {
  if (items.length === 0) return '[]';
  return `[\n${items.map((item) => `${indent(depth + 1)}${item}`).join(',\n')}\n${indent(depth)}]`;
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}
