/** What a terminal shows below a kernel table: each failure, what differs and why, and alarms. */
import { join } from 'node:path';
import type { Failure } from '../run/record.js';
import type { Comparison } from '../matrix/compare.js';
import type { Change, KernelTable } from '../matrix/table.js';
import { comparisonSections, comparisonTitle } from './kernel-comparison.js';
import {
  alarmsOf,
  explanationOf,
  findingsOf,
  idsOf,
  otherExpected,
  sharedBy,
  sharedDifferences,
  type Finding,
} from './kernel-findings.js';
import { indented, painted, type Colours } from './kernel-grid.js';
import { reasonOf, wordOf } from './kernel-view.js';
import { columnsOf, oneLine, visible, wrap } from './text.js';

/** How and where it is shown. */
export interface Ink {
  /** Columns of the terminal, at least 40. */
  width: number;
  colours: Colours;
  /** The matrix's folder, as paths of evidence are to begin. */
  folder: string;
}

/** A heading in bold, and lines below it; nothing without lines. */
export function section(title: string, lines: readonly string[], { colours, width }: Ink): string[] {
  if (lines.length === 0) return [];
  const heading = wrap(title, width).map((line) => colours.bold(line));
  return [[...heading, ...lines].join('\n')];
}

/** All of them, each a paragraph. */
export function findingParts(table: KernelTable, ink: Ink): string[] {
  return [
    ...findingsOf(table, ['failed', 'error']).map((finding) => block(finding, ink)),
    ...skipped(table, ink),
    ...differences(table, ink),
    ...expected(table, ink),
    ...alarms(table, ink),
  ];
}

function block({ row, tone, cell, kernels, evidence }: Finding, ink: Ink): string {
  const word = painted({ text: wordOf(cell), tone }, ink.colours);
  const [first = '', ...others] = wrap(`${row.id} ${row.title}`, ink.width - 7);
  return [
    `${word} ${ink.colours.bold(first)}`,
    ...others.map((line) => `  ${ink.colours.bold(line)}`),
    indented(`${kernels}: ${reasonOf(cell) ?? 'no reason was recorded'}`, 2, ink.width),
    ...detailLines(cell.failure, ink),
    ...paths(evidence, 2, ink),
  ].join('\n');
}

/** How many lines of details are shown; the evidence has all of them. */
const mostDetails = 12;

/** How many lines of a kind a comparison has on a terminal. */
const mostItems = 20;

/** What is known of a failure beside its message. */
export function detailLines(failure: Failure | undefined, ink: Ink): string[] {
  const all = failure?.details ? visible(failure.details).trimEnd().replaceAll('\t', '  ').split('\n') : [];
  const more = all.length > mostDetails ? [`    … and ${all.length - mostDetails} more lines`] : [];
  return [
    // What fits stays as it is: it may be a table.
    ...all
      .slice(0, mostDetails)
      .map((line) => (columnsOf(line) + 4 > ink.width ? indented(line, 4, ink.width) : `    ${line}`)),
    ...more,
    ...(failure?.next ? [indented(`next: ${failure.next}`, 2, ink.width)] : []),
  ];
}

/** A path stands on a line of its own, and whole, so that it can be copied. */
function paths(evidence: readonly string[], indent: number, { folder }: Ink): string[] {
  return evidence.map((path) => `${' '.repeat(indent)}evidence: ${oneLine(join(folder, path))}`);
}

function skipped(table: KernelTable, ink: Ink): string[] {
  const shared = sharedBy(findingsOf(table, ['skipped']), ({ cell }) => reasonOf(cell) ?? 'no reason was recorded');
  const lines = shared.map((one) => indented(`${one.kernels}: ${idsOf(one.experiments)}: ${one.text}`, 2, ink.width));
  return section('Skipped', lines, ink);
}

function differences(table: KernelTable, ink: Ink): string[] {
  const lines = sharedDifferences(table).flatMap(({ subject, changes }) => [
    indented(subject, 2, ink.width),
    ...changes.flatMap((change) => changeLines(table, change, ink)),
  ]);
  return section('What differs', lines, ink);
}

function changeLines(table: KernelTable, { since, after, from, to, explained }: Change, ink: Ink): string[] {
  return [
    indented(`since ${since}: ${to} (on ${after}: ${from})`, 4, ink.width),
    ...(explained.length === 0 ? [`    ${ink.colours.red('unexplained')}`] : []),
    ...explained.flatMap((name) => because(table, name, ink)),
  ];
}

function because(table: KernelTable, name: string, { width }: Ink): string[] {
  const { reason, source } = explanationOf(table, name);
  const lines = [indented(`because: ${reason}`, 4, width)];
  return source ? [...lines, indented(`source: ${source}`, 4, width)] : lines;
}

function expected(table: KernelTable, ink: Ink): string[] {
  const lines = [...otherExpected(table)].flatMap(([name, findings]) => [
    ...sharedBy(findings, ({ cell }) => wordOf(cell)).map((one) =>
      indented(`${one.kernels}: ${idsOf(one.experiments)}: ${one.text}`, 2, ink.width),
    ),
    ...because(table, name, ink),
  ]);
  return section('Otherwise expected', lines, ink);
}

function alarms(table: KernelTable, ink: Ink): string[] {
  const lines = alarmsOf(table).flatMap(({ subject, kernels, text, evidence }) => [
    ink.colours.red(indented(`ALARM ${subject}`, 2, ink.width)),
    indented(`${kernels}: ${text}`, 4, ink.width),
    ...paths(evidence, 4, ink),
  ]);
  return section('Alarms', lines, ink);
}

/** What is not as in a baseline, what got worse first. */
export function compared(table: KernelTable, comparison: Comparison | undefined, ink: Ink): string[] {
  if (!comparison) return [];
  const lines = comparisonSections(table, comparison).flatMap(({ title, tone, items }) => [
    `  ${painted({ text: title, tone }, ink.colours)}`,
    ...items.slice(0, mostItems).map(({ subject, text }) => indented(`${subject} ${text}`, 4, ink.width)),
    ...(items.length > mostItems ? [`    … and ${items.length - mostItems} more`] : []),
  ]);
  const nothing = comparison.baseline && lines.length === 0 ? ['  nothing has changed'] : [];
  return [[...section(comparisonTitle(comparison), [...lines, ...nothing, ''], ink)].join('\n').trimEnd()];
}
