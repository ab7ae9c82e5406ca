/** What the Markdown view of a kernel table says beside the table itself; each part is empty when there is nothing to say. */
import type { Comparison } from '../matrix/compare.js';
import type { Change, KernelTable } from '../matrix/table.js';
import { Gfm, gfm, gfmTable } from './gfm.js';
import { comparisonSections, comparisonTitle } from './kernel-comparison.js';
import {
  alarmsOf,
  explanationOf,
  findingsOf,
  idsOf,
  linkOf,
  otherExpected,
  sharedBy,
  sharedDifferences,
} from './kernel-findings.js';
import { reasonOf, wordOf } from './kernel-view.js';

export function alarms(table: KernelTable): Gfm[] {
  return alarmsOf(table).map(({ subject, kernels, text }) => gfm`- **ALARM** ${subject}, ${kernels}: ${text}\n`);
}

export function comparisonParts(table: KernelTable, comparison: Comparison): Gfm[] {
  const sections = comparisonSections(table, comparison).map(({ title, items }) => {
    const lines = items.map(({ subject, text }) => gfm`- **${subject}**${text && gfm` ${text}`}\n`);
    return gfm`\n### ${title}\n\n${lines}`;
  });
  const nothing = comparison.baseline && sections.length === 0 && gfm`\nNothing has changed.\n`;
  return [gfm`${comparisonTitle(comparison)}.\n`, gfm`${nothing}`, ...sections];
}

export function differences(table: KernelTable): Gfm[] {
  const rows = sharedDifferences(table).flatMap(({ subject, changes }) =>
    changes.map((change) => [
      ...[subject, change.since, gfm`${change.from} (${change.after}) → ${change.to}`],
      whyOf(table, change),
    ]),
  );
  return rows.length === 0 ? [] : [gfmTable(['what', 'since', 'was → is', 'why'], rows)];
}

function whyOf(table: KernelTable, { explained }: Change): Gfm {
  if (explained.length === 0) return gfm`**unexplained**`;
  return gfm`${explained.map((name, index) => gfm`${index > 0 && '; '}${because(table, name)}`)}`;
}

/** Why something is as it is, by a known difference, with its source as a link where it is an address. */
function because(table: KernelTable, name: string): Gfm {
  const { reason, source } = explanationOf(table, name);
  const address = linkOf(source);
  if (address !== undefined) return gfm`${reason} (${Gfm.link('source', address)})`;
  return gfm`${reason}${source && gfm` (${source})`}`;
}

export function expected(table: KernelTable): Gfm[] {
  return [...otherExpected(table)].map(([name, findings]) => {
    const where = findings.map(({ row, kernels }) => `${idsOf([row])} (${kernels})`).join(', ');
    return gfm`- **${where}:** ${because(table, name)}\n`;
  });
}

export function failures(table: KernelTable): Gfm[] {
  return findingsOf(table, ['failed', 'error']).map(({ row, cell, kernels }) => {
    const { failure } = cell;
    const details = failure?.details === undefined ? '' : gfm`\n${Gfm.folded('details', Gfm.pre(failure.details))}\n`;
    const next = failure?.next !== undefined && gfm`; next: ${failure.next}`;
    const what = gfm`- **${wordOf(cell)}** ${row.id} ${row.title}, ${kernels}`;
    return gfm`${what}: ${reasonOf(cell) ?? 'no reason was recorded'}${next}\n${details}`;
  });
}

export function skips(table: KernelTable): Gfm[] {
  const shared = sharedBy(findingsOf(table, ['skipped']), ({ cell }) => reasonOf(cell) ?? 'no reason was recorded');
  return shared.map(({ kernels, experiments, text }) => gfm`- **${kernels}:** ${idsOf(experiments)}: ${text}\n`);
}
