/** The findings of a kernel table: the cells that did not simply pass, each finding once for all its kernels. */
import { keyOf } from '../../run/record.js';
import type { Cell, Change, KernelTable, TableRow } from '../../matrix/compare/kernel-table.js';
import type { Tone } from '../document/document.js';
import { groupEqual } from '../document/groups.js';
import { kernelWords, labelOf, reasonOf, silentColumns, toneOf } from './words.js';

/** One reason, and the kernels where it applies to an experiment. */
export interface Finding {
  row: TableRow;
  tone: Tone;
  /** The cell of the first of the kernels. */
  cell: Cell;
  /** "5.10 to 6.1, 7.2" */
  kernels: string;
  /** Folders with evidence, at most one per kernel, relative to the matrix's. */
  evidence: string[];
}

/** All findings of these tones, in the order of the table. Kernels without any verdict are reported as a whole, not here. */
export function findingsOf(table: KernelTable, tones: readonly Tone[]): Finding[] {
  const silent = silentColumns(table);
  return table.rows.flatMap((row) => {
    const about = (cell: Cell): string => JSON.stringify([toneOf(cell), reasonOf(cell), cell.expected, cell.alarm]);
    return [...groupEqual(row.cells, about).values()].flatMap((all) => {
      const positions = all.filter((position) => !silent.has(position));
      const cells = positions.flatMap((position) => row.cells[position] ?? []);
      const [cell] = cells;
      if (!cell || !tones.includes(toneOf(cell))) return [];
      const kernels = kernelWords(table.columns, positions);
      return [{ row, tone: toneOf(cell), cell, kernels, evidence: cells.flatMap(({ evidence }) => evidence ?? []) }];
    });
  });
}

/** Findings with the same text for several experiments on the same kernels, as one. */
export interface Shared {
  text: string;
  kernels: string;
  experiments: TableRow[];
}

/** Joins findings with the same text, with the experiments that they are about. */
export function sharedBy(findings: readonly Finding[], text: (finding: Finding) => string): Shared[] {
  const groups = groupEqual(findings, (finding) => JSON.stringify([text(finding), finding.kernels]));
  return [...groups.values()].flatMap((positions) => {
    const members = positions.flatMap((position) => findings[position] ?? []);
    const [first] = members;
    return first ? [{ text: text(first), kernels: first.kernels, experiments: members.map(({ row }) => row) }] : [];
  });
}

/** "A1.3, A1.4 (2)": each id once, with the number of its experiments. */
export function idsOf(rows: readonly TableRow[]): string {
  const groups = [...groupEqual(rows, ({ id }) => id)];
  return groups.map(([id, all]) => (all.length > 1 ? `${id} (${all.length})` : id)).join(', ');
}

/** The reason and source from a known difference; its bare name if the table does not have it. */
export function explanationOf({ known }: KernelTable, name: string): { reason: string; source: string } {
  return known.find((one) => one.name === name) ?? { reason: name, source: '' };
}

/** An alarm, of an experiment or a feature. */
export interface Alarm {
  /** Key of the experiment; group and name of the feature. */
  about: string;
  /** The same for the reader. */
  subject: string;
  kernels: string;
  text: string;
  evidence: string[];
}

export function alarmsOf(table: KernelTable): Alarm[] {
  const { columns, features } = table;
  const ofExperiments = findingsOf(table, ['alarm']).map(({ row, kernels, cell, evidence }) => {
    const text = [`${cell.verdict}, but ${cell.alarm ?? ''}`, ...[reasonOf(cell) ?? []].flat()].join('; ');
    return { about: keyOf(row), subject: `${row.id} ${row.title}`, kernels, text, evidence };
  });
  const ofFeatures = features.flatMap(({ group, name, cells }) => {
    const groups = groupEqual(cells, (cell) => JSON.stringify([cell?.state, cell?.alarm]));
    return [...groups.values()].flatMap((positions) => {
      const cell = cells[positions[0] ?? -1];
      if (cell?.alarm === undefined) return [];
      const text = `${cell.state}, but ${cell.alarm}`;
      const about = `${group}: ${name}`;
      return [{ about, subject: about, kernels: kernelWords(columns, positions), text, evidence: [] }];
    });
  });
  return [...ofExperiments, ...ofFeatures];
}

/** Known differences that apply to cells, but explain no listed difference; with the cells' findings. */
export function otherExpected(table: KernelTable): Map<string, Finding[]> {
  const told = new Set(table.differences.flatMap(({ changes }) => changes.flatMap(({ explained }) => explained)));
  const others = new Map<string, Finding[]>();
  for (const finding of findingsOf(table, ['expected'])) {
    const name = finding.cell.expected;
    if (name === undefined || told.has(name)) continue;
    others.set(name, [...(others.get(name) ?? []), finding]);
  }
  return others;
}

/** Experiments or features that change in the same way, probably for the same reason. */
export interface SharedDifference {
  /** "X3.1 multicast: copies"; the ids of several experiments. */
  subject: string;
  /** The experiments; empty for features. */
  rows: TableRow[];
  changes: Change[];
}

/** The differences of a table; those that change in the same way are joined. */
export function sharedDifferences({ differences, rows }: KernelTable): SharedDifference[] {
  const groups = groupEqual(differences, ({ kind, value, changes }) => JSON.stringify([kind, value, changes]));
  return [...groups.values()].flatMap((positions) => {
    const members = positions.flatMap((position) => differences[position] ?? []);
    const [first] = members;
    if (!first) return [];
    const keys = new Set(members.map(({ subject }) => subject));
    const about = first.kind === 'feature' ? [] : rows.filter((row) => keys.has(keyOf(row)));
    const names = about.length > 1 ? idsOf(about) : [...keys].map((key) => labelOf({ rows }, key)).join(', ');
    const subject = first.value === undefined ? names : `${names}: ${first.value}`;
    return [{ subject, rows: about, changes: first.changes }];
  });
}
