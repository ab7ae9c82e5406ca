/** The differences between kernels: where they change, and which known differences explain them. */
import { keyOf } from '../../run/record.js';
import { explain, type Showing, type Subject, stateValue, observedValue, verdictValue } from './expectation.js';
import type { Subjects } from './subjects.js';
import type { Difference } from './kernel-table.js';
import type { Change } from './kernel-table.js';
import type { FeatureRow } from './kernel-table.js';
import type { TableRow } from './kernel-table.js';
import type { TableColumn } from './kernel-table.js';

/** All differences of a table. */
export function differencesOf(
  columns: readonly Pick<TableColumn, 'name' | 'version'>[],
  rows: readonly TableRow[],
  features: readonly FeatureRow[],
  subjects: Subjects,
): Difference[] {
  return [...rows.flatMap(ofRow), ...features.flatMap(ofFeature)];

  function ofRow(row: TableRow): Difference[] {
    const subject = keyOf(row);
    const verdict = differing({ kind: 'verdict', subject }, subjects.verdict(row), row.cells.map(verdictValue));
    const names = new Set(row.cells.flatMap(({ observed }) => Object.keys(observed)));
    const values = [...names].flatMap((name) => {
      const values = row.cells.map((cell) => observedValue(cell, name));
      return differing({ kind: 'observed', subject, value: name }, subjects.value(row, name), values);
    });
    return [...verdict, ...values];
  }

  function ofFeature({ group, name, cells }: FeatureRow): Difference[] {
    const about = { kind: 'feature', subject: `${group}: ${name}` } as const;
    return differing(about, subjects.feature(name), cells.map(stateValue));
  }

  function differing(
    about: Pick<Difference, 'kind' | 'subject' | 'value'>,
    subject: Subject,
    values: readonly (string | undefined)[],
  ): Difference[] {
    const changes = changesOf(columns, subject, values);
    if (changes.length === 0) return [];
    const isExplained = changes.every(({ explained }) => explained.length > 0);
    const explained = isExplained ? [...new Set(changes.flatMap((change) => change.explained))] : [];
    return [{ ...about, changes, explained }];
  }
}

function changesOf(
  columns: readonly Pick<TableColumn, 'name' | 'version'>[],
  subject: Subject,
  values: readonly (string | undefined)[],
): Change[] {
  const changes: Change[] = [];
  let before: (Showing & { name: string; value: string }) | undefined;
  columns.forEach(({ name, version }, position) => {
    const now = values[position];
    if (now === undefined) return;
    const after = { name, version, value: now };
    if (before && before.value !== now) {
      const explained = explain(subject, before, after).map(({ name }) => name);
      changes.push({ since: name, after: before.name, from: before.value, to: now, explained });
    }
    before = after;
  });
  return changes;
}
