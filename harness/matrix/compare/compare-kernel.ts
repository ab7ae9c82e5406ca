/** One kernel's part of a comparison with a baseline. */
import { keyOf } from '../../run/record.js';
import type { BaselineExperiment, BaselineFeature, BaselineKernel } from './baseline.js';
import type { Comparison } from './comparison.js';
import type { Deviation } from './comparison.js';
import { explain, judge, type Showing, type Subject, stateValue, observedValue } from './expectation.js';
import type { KnownDifference } from './known-difference.js';
import type { Subjects } from './subjects.js';
import type { FeatureRow } from './kernel-table.js';
import type { FeatureCell } from './kernel-table.js';
import type { TableRow } from './kernel-table.js';
import type { Cell } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';

/** Adds one kernel's changes to a comparison. */
export class ComparingKernel {
  readonly #comparison: Comparison;
  readonly #subjects: Subjects;
  readonly #column: TableColumn;
  readonly #then: BaselineKernel | undefined;
  readonly #experiments: Map<string, BaselineExperiment>;
  readonly #features: Map<string, BaselineFeature>;

  constructor(comparison: Comparison, subjects: Subjects, column: TableColumn, then: BaselineKernel | undefined) {
    this.#comparison = comparison;
    this.#subjects = subjects;
    this.#column = column;
    this.#then = then;
    this.#experiments = new Map(then?.experiments.map((each) => [each.experiment, each]));
    this.#features = new Map(then?.features.map((each) => [each.feature, each]));
  }

  /** Reports once a change that concerns all of its experiments. */
  whole(): void {
    const { name: kernel, failure } = this.#column;
    const then = this.#then?.failure;
    if (failure && then === undefined) {
      this.#comparison.newErrors.push({ kernel, to: 'error', reason: failure.message });
    }
    if (!failure && then !== undefined) {
      this.#comparison.fixed.push({ kernel, from: 'error', to: 'performed', reason: then });
    }
  }

  experiment(row: TableRow, cell: Cell | undefined): void {
    if (!cell || cell.verdict === 'missing') return;
    const keys = [row.key, ...(row.aliases ?? [])];
    const then = keys.map((key) => this.#experiments.get(key)).find((found) => found !== undefined);
    const deviation = this.#deviation(keyOf(row), cell);
    this.#verdict(row, cell, then);
    if (cell.alarm !== undefined && then?.alarm === undefined) {
      this.#comparison.newAlarms.push({ ...deviation, reason: cell.alarm });
    }
    for (const name of Object.keys(cell.observed)) {
      const from = then && observedValue({ observed: {}, ...then }, name);
      const to = observedValue(cell, name);
      if (from === undefined || to === undefined || from === to) continue;
      const explained = this.#explain(this.#subjects.value(row, name), from, to);
      this.#changed({ ...deviation, value: name, from, to }, explained);
    }
  }

  #verdict(row: TableRow, cell: Cell, then: BaselineExperiment | undefined): void {
    const { newErrors, newFailures, fixed } = this.#comparison;
    const { verdict: to, expected } = cell;
    const wasError = then?.error === true || then?.verdict === 'error';
    const from = then?.verdict;
    const wasExpected = from === 'failed' && then?.expected !== undefined;
    const before = wasExpected ? `failed, as “${then.expected}” expects` : from;
    const deviation = this.#deviation(keyOf(row), cell, wasError ? 'error' : before);
    if (to === 'error') {
      // An experiment without a record has the kernel's own failure, which whole() reports.
      if (!wasError && cell.durationMs !== undefined) newErrors.push(deviation);
    } else if (to === 'failed' && expected === undefined) {
      if (from !== 'failed' || wasExpected) newFailures.push(deviation);
    } else if (to === 'passed' && (from === 'failed' || wasError)) {
      const isToldByWhole = from !== 'failed' && this.#then?.failure !== undefined && !this.#column.failure;
      if (!isToldByWhole) fixed.push(deviation);
    } else if (from !== undefined && from !== to) {
      const explained = this.#explain(this.#subjects.verdict(row), from, to);
      // A skip after a pass shows less than before. A skip after a failure, or after no result, is not worse.
      this.#changed({ ...deviation, from, to }, explained, to === 'skipped' && from === 'passed');
    }
  }

  feature({ group, name }: FeatureRow, cell: FeatureCell | undefined): void {
    if (!cell) return;
    const then = this.#features.get(name);
    const deviation = { kernel: this.#column.name, subject: `${group}: ${name}`, to: cell.state, reason: cell.words };
    if (cell.alarm !== undefined && then?.alarm === undefined) {
      this.#comparison.newAlarms.push({ ...deviation, ...(then && { from: then.state }), reason: cell.alarm });
    }
    if (!then || then.state === cell.state) return;
    const explained = this.#explain(this.#subjects.feature(name), stateValue(then), stateValue(cell));
    this.#changed({ ...deviation, from: then.state }, explained, then.state !== 'unknown');
  }

  #deviation(subject: string, { verdict, reason }: Cell, from?: string): Deviation {
    const { name } = this.#column;
    return {
      ...{ kernel: name, subject, to: verdict },
      ...(from !== undefined && { from }),
      ...(reason !== undefined && { reason }),
    };
  }

  #changed(deviation: Deviation & { from: string }, explained: readonly KnownDifference[], couldBeWorse = true): void {
    const names = explained.map(({ name }) => name);
    this.#comparison.changed.push({ ...deviation, explained: names, worse: couldBeWorse && names.length === 0 });
  }

  /** A known difference explains a change by a border between the kernel's releases, or if it expects the new value. */
  #explain(subject: Subject, from: string | undefined, to: string | undefined): KnownDifference[] {
    const before: Showing = { version: this.#then?.version ?? '', value: from };
    const after: Showing = { version: this.#column.version, value: to };
    const { expected } = judge(subject, after);
    return [...new Set([...(expected ? [expected] : []), ...explain(subject, before, after)])];
  }
}
