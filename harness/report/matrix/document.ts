/**
 * A kernel table as a document. `builders` has one function per section. A view (terminal.ts, markdown.ts, html.ts)
 * names the sections that it shows, and renders the document.
 */
import { keyOf } from '../../run/record.js';
import type { Comparison } from '../../matrix/compare/comparison.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { list, strong, text, word, type Block, type Document, type Section, type Tone } from '../document/document.js';
import { experiments, features } from './grids.js';
import { comparisonSections, comparisonTitle } from './comparison.js';
import { alarmsOf, findingsOf, idsOf, otherExpected, sharedBy, sharedDifferences } from './findings.js';
import { because, failureBlocks } from './parts.js';
import { circumstances, countWords, legend, reasonOf, resumeCommand, titleOf, totalWords, wordOf } from './words.js';

/** The name of a section, which is also its anchor on a page. */
export type SectionName = keyof typeof builders;

export interface MatrixDocumentOptions {
  comparison?: Comparison | undefined;
  /** Shows all experiments and features. If false, those that pass on all kernels are left out. */
  all?: boolean;
}

/** A kernel table as a document of these sections, in this order. Empty sections are left out. */
export function matrixDocument(
  table: KernelTable,
  names: readonly SectionName[],
  options: MatrixDocumentOptions = {},
): Document {
  const sections: Section[] = names.map((name) => ({ name, ...builders[name](table, options) }));
  const text = 'Not all that was planned has been performed (“–”). The rest is performed by:';
  return {
    title: titleOf(table),
    lead: [circumstances(table), strong(totalWords(table))].map((line) => ({ kind: 'text', text: [line] })),
    ...(!table.complete && { notice: { text, command: resumeCommand } }),
    sections: sections.filter(({ blocks, sections: parts = [] }) => blocks.length + parts.length > 0),
  };
}

type Builder = (table: KernelTable, options: MatrixDocumentOptions) => Omit<Section, 'name'>;

const builders = {
  kernels: (table) => ({ title: 'Kernels', blocks: kernels(table) }),
  alarms: (table) => ({ title: 'Alarms', blocks: alarms(table) }),
  comparison: (table, { comparison }) => ({ title: 'Baseline', blocks: comparison ? compared(table, comparison) : [] }),
  differences: (table) => ({ title: 'What differs', blocks: differences(table) }),
  expected: (table) => ({ title: 'Otherwise expected', blocks: expected(table) }),
  failures: (table) => ({ title: 'Failures and errors', blocks: [], sections: failures(table) }),
  features: (table, { all = true }) => ({ title: 'Features', blocks: features(table, all) }),
  results: (table, { all = true }) => ({ title: 'Experiments', blocks: experiments(table, all) }),
  skipped: (table) => ({ title: 'Skipped', blocks: skipped(table) }),
  legend: () => ({ title: 'Words', blocks: words() }),
} satisfies Record<string, Builder>;

function kernels({ columns }: KernelTable): Block[] {
  const rows = columns.map(({ name, release, origin, counts, failure }) => {
    const cells = [name, countWords(counts), [release, origin && `(${origin})`].filter(Boolean).join(' ')];
    return { cells, ...(failure && { below: failureBlocks([word('error', 'ERROR'), ' ', failure.message], failure) }) };
  });
  return columns.length > 0 ? [{ kind: 'table', head: ['kernel', 'result', 'release'], rows }] : [];
}

function alarms(table: KernelTable): Block[] {
  return list(
    alarmsOf(table).map(({ about, subject, kernels: on, text: words, evidence }) => ({
      text: [word('alarm', 'ALARM'), ' ', { text: subject, rows: [about] }],
      below: [text(`${on}: ${words}`), ...evidence.map(evidenceAt)],
    })),
  );
}

/** The differences from a baseline, regressions first. */
function compared(table: KernelTable, comparison: Comparison): Block[] {
  const sections = comparisonSections(table, comparison).map(({ title, tone, items }) => ({
    text: [word(tone, title)],
    below: list(
      items.map(({ about, subject, text: change }) => ({
        text: [{ text: subject, rows: [about], style: 'strong' as const }, change && ` ${change}`],
      })),
    ),
  }));
  const nothing = comparison.baseline && sections.length === 0 ? [text('Nothing has changed.')] : [];
  return [text(`${comparisonTitle(comparison)}.`), ...nothing, ...list(sections)];
}

function differences(table: KernelTable): Block[] {
  return list(
    sharedDifferences(table).map(({ subject, rows, changes }) => ({
      text: [{ text: subject, rows: rows.map(keyOf) }],
      below: changes.flatMap(({ since, after, from, to, explained }) => [
        text(`since ${since}: ${to} (on ${after}: ${from})`),
        ...(explained.length === 0 ? [text(word('failed', 'unexplained'))] : []),
        ...explained.flatMap((name) => because(table, name)),
      ]),
    })),
  );
}

function expected(table: KernelTable): Block[] {
  return list(
    [...otherExpected(table)].map(([name, findings]) => {
      const shared = sharedBy(findings, ({ cell }) => wordOf(cell));
      const where = shared.map((one) => `${one.kernels}: ${idsOf(one.experiments)}: ${one.text}`);
      return { text: where.join('; '), below: because(table, name) };
    }),
  );
}

function failures(table: KernelTable): Section[] {
  return findingsOf(table, ['failed', 'error']).map(({ row, tone, cell, kernels: on, evidence }, index) => ({
    name: `failure-${index + 1}`,
    title: [word(tone, wordOf(cell)), ` ${row.id} ${row.title}`],
    blocks: [
      ...failureBlocks([`${on}: ${reasonOf(cell) ?? 'no reason was recorded'}`], cell.failure),
      ...evidence.map(evidenceAt),
    ],
  }));
}

function skipped(table: KernelTable): Block[] {
  const shared = sharedBy(findingsOf(table, ['skipped']), ({ cell }) => reasonOf(cell) ?? 'no reason was recorded');
  return list(shared.map((one) => ({ text: [strong(`${one.kernels}:`), ` ${idsOf(one.experiments)}: ${one.text}`] })));
}

function words(): Block[] {
  const tones: Record<string, Tone> = {
    ...{ passed: 'passed', FAILED: 'failed', differs: 'expected', ALARM: 'alarm', skipped: 'skipped', ERROR: 'error' },
  };
  return list(
    Object.entries(legend).map(([name, meaning]) => ({ text: [word(tones[name] ?? 'missing', name), ` ${meaning}`] })),
  );
}

function evidenceAt(path: string): Block {
  return { kind: 'file', title: 'evidence', path };
}
