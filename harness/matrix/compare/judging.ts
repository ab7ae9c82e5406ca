/** Marks the cells of a table according to the known differences. */
import { judge, type Judgement, stateValue, observedValue, verdictValue } from './expectation.js';
import type { ExperimentKey } from '../record.js';
import type { Subjects } from './subjects.js';
import type { FeatureCell } from './kernel-table.js';
import type { Cell } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';

export class Judging {
  /** Names of the known differences that apply to a cell. */
  readonly named = new Set<string>();
  readonly #columns: readonly Pick<TableColumn, 'version'>[];
  readonly #subjects: Subjects;

  constructor(columns: readonly Pick<TableColumn, 'version'>[], subjects: Subjects) {
    this.#columns = columns;
    this.#subjects = subjects;
  }

  /** An experiment's cells, one per column. */
  experiment(experiment: ExperimentKey, cells: readonly Cell[]): Cell[] {
    return cells.map((cell, position) => {
      const version = this.#columns[position]?.version ?? '';
      const verdict = judge(this.#subjects.verdict(experiment), { version, value: verdictValue(cell) });
      const values = Object.keys(cell.observed).map((name) =>
        judge(this.#subjects.value(experiment, name), { version, value: observedValue(cell, name) }),
      );
      // An expected value does not excuse a failure.
      const excusing = cell.verdict === 'passed' ? [verdict, ...values] : [verdict];
      return { ...cell, ...this.#marks(excusing, [verdict, ...values]) };
    });
  }

  /** A feature's cells, one per column. */
  feature(name: string, cells: readonly (FeatureCell | undefined)[]): (FeatureCell | undefined)[] {
    return cells.map((cell, position) => {
      if (!cell) return undefined;
      const version = this.#columns[position]?.version ?? '';
      const judgement = judge(this.#subjects.feature(name), { version, value: stateValue(cell) });
      return { ...cell, ...this.#marks([judgement], [judgement]) };
    });
  }

  #marks(excusing: readonly Judgement[], all: readonly Judgement[]): Pick<Cell, 'expected' | 'alarm'> {
    const expected = excusing.find((judgement) => judgement.expected)?.expected?.name;
    const alarms = all.flatMap((judgement) => judgement.alarms);
    for (const { known } of alarms) this.named.add(known.name);
    if (expected !== undefined) this.named.add(expected);
    return {
      ...(expected !== undefined && { expected }),
      ...(alarms.length > 0 && { alarm: alarms.map(({ words }) => words).join('; ') }),
    };
  }
}
