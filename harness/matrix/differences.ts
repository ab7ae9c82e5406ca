/** What is not the same on all kernels: where it changes, and what is known of that. */
import { keyOf } from '../run/record.js';
import { explain, type Showing, type Subject, toldState, toldValue, toldVerdict } from './expectation.js';
import type { Subjects } from './subjects.js';
import type { Change, Difference, FeatureRow, TableColumn, TableRow } from './table.js';

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
    const verdict = differing({ kind: 'verdict', subject }, subjects.verdict(row), row.cells.map(toldVerdict));
    const names = new Set(row.cells.flatMap(({ observed }) => Object.keys(observed)));
    const values = [...names].flatMap((name) => {
      const told = row.cells.map((cell) => toldValue(cell, name));
      return differing({ kind: 'observed', subject, value: name }, subjects.value(row, name), told);
    });
    return [...verdict, ...values];
  }

  function ofFeature({ group, name, cells }: FeatureRow): Difference[] {
    const about = { kind: 'feature', subject: `${group}: ${name}` } as const;
    return differing(about, subjects.feature(name), cells.map(toldState));
  }

  function differing(
    about: Pick<Difference, 'kind' | 'subject' | 'value'>,
    subject: Subject,
    told: readonly (string | undefined)[],
  ): Difference[] {
    const changes = changesOf(columns, subject, told);
    if (changes.length === 0) return [];
    const isExplained = changes.every(({ explained }) => explained.length > 0);
    const explained = isExplained ? [...new Set(changes.flatMap((change) => change.explained))] : [];
    return [{ ...about, changes, explained }];
  }
}

function changesOf(
  columns: readonly Pick<TableColumn, 'name' | 'version'>[],
  subject: Subject,
  told: readonly (string | undefined)[],
): Change[] {
  const changes: Change[] = [];
  let before: (Showing & { name: string; told: string }) | undefined;
  columns.forEach(({ name, version }, position) => {
    const now = told[position];
    if (now === undefined) return;
    const after = { name, version, told: now };
    if (before && before.told !== now) {
      const explained = explain(subject, before, after).map(({ name }) => name);
      changes.push({ since: name, after: before.name, from: before.told, to: now, explained });
    }
    before = after;
  });
  return changes;
}
