/** The Markdown view of a kernel table, for job summaries of GitHub and GitLab and for documentation. */
import type { Comparison } from '../matrix/compare.js';
import type { FeatureRow, KernelTable, TableRow } from '../matrix/table.js';
import { Gfm, gfm, gfmTable, type GfmValue } from './gfm.js';
import { alarms, comparisonParts, differences, expected, failures, skips } from './kernel-gfm-findings.js';
import {
  circumstances,
  differingValues,
  featureWordOf,
  groupEqual,
  kernelWords,
  legend,
  plural,
  resumeCommand,
  silentColumns,
  tellingOf,
  titleOf,
  toneOf,
  totalWords,
  valueOf,
  wordOf,
} from './kernel-view.js';

/** A kernel table as Markdown, without a newline at its end. */
export function kernelTableMarkdown(table: KernelTable, comparison?: Comparison): string {
  const parts: [title: string, content: readonly Gfm[]][] = [
    ['Kernels', kernels(table)],
    ['Alarms', alarms(table)],
    ['Baseline', comparison ? comparisonParts(table, comparison) : []],
    ['What differs', differences(table)],
    ['Otherwise expected', expected(table)],
    ['Failures and errors', failures(table)],
    ['Features', features(table)],
    ['Experiments', experiments(table)],
    ['Skipped', skips(table)],
    ['Words', words()],
  ];
  const shown = parts.filter(([, content]) => content.length > 0);
  const whole = gfm`# ${titleOf(table)}

${circumstances(table)}

**${totalWords(table)}**

${!table.complete && gfm`Not all that was planned has been performed (“–”). The rest is performed by \`${resumeCommand}\`.\n\n`}${shown.map(([title, content]) => gfm`## ${title}\n\n${content}\n`)}`;
  return whole.toString().trimEnd();
}

function kernels({ columns }: KernelTable): Gfm[] {
  const head = ['kernel', 'release', 'from', 'passed', 'failed', 'errors', 'skipped', 'not performed'];
  const rows = columns.map(({ name, release, origin, counts }) => [
    ...[name, release, origin, counts.passed, counts.failed, counts.error, counts.skipped, counts.missing],
  ]);
  const failed = columns.flatMap(({ name, failure }) => {
    if (!failure) return [];
    const details = failure.details !== undefined && gfm`\n${Gfm.folded('details', Gfm.pre(failure.details))}\n`;
    return [
      gfm`- **ERROR** ${name}: ${failure.message}${failure.next !== undefined && gfm`; next: ${failure.next}`}\n${details}`,
    ];
  });
  return [gfmTable(head, rows), ...(failed.length > 0 ? [gfm`\n${failed}`] : [])];
}

function features(table: KernelTable): Gfm[] {
  const { columns } = table;
  if (table.features.length === 0) return [];
  const rows = table.features.map(({ group, name, cells }) => [`${group}: ${name}`, ...cells.map(featureWordOf)]);
  const said = table.features.flatMap((row) => wordsOf(table, row));
  const more = gfmTable(['feature', 'kernels', 'state', 'the kernel’s words'], said);
  return [
    gfmTable(['feature', ...columns.map(({ name }) => name)], rows),
    ...(said.length > 0 ? [gfm`\n`, Gfm.folded('The kernels’ words, where they do not simply support it', more)] : []),
  ];
}

function wordsOf({ columns }: KernelTable, { group, name, cells }: FeatureRow): GfmValue[][] {
  const groups = groupEqual(cells, (cell) => JSON.stringify([cell?.state, cell?.words]));
  return [...groups.values()].flatMap((positions) => {
    const cell = cells[positions[0] ?? -1];
    if (!cell || cell.state === 'supported') return [];
    return [[`${group}: ${name}`, kernelWords(columns, positions), featureWordOf(cell), cell.words]];
  });
}

/** One table per suite, folded away; how many rows tell something stands in its title. */
function experiments(table: KernelTable): Gfm[] {
  const silent = silentColumns(table);
  const suites = [...new Set(table.rows.map(({ suite }) => suite))];
  return suites.map((suite, index) => {
    const rows = table.rows.filter((row) => row.suite === suite);
    const telling = rows.filter((row) => tellingOf(table, row, silent) !== 'plain').length;
    const told = telling > 0 ? `, ${telling} not simply passed` : '';
    const head = ['experiment', ...table.columns.map(({ name }) => name)];
    const content = gfmTable(
      head,
      rows.flatMap((row) => lines(table, row)),
    );
    const title = `${suite}: ${plural(rows.length, 'experiment')}${told}`;
    return gfm`${index > 0 && gfm`\n`}${Gfm.folded(title, content)}`;
  });
}

function lines(table: KernelTable, row: TableRow): GfmValue[][] {
  const values = differingValues(table, row).map((name) => [
    gfm`↳ ${row.id} ${name}`,
    ...row.cells.map((cell) => valueOf(cell, name)),
  ]);
  const cells = row.cells.map((cell) =>
    ['failed', 'error', 'alarm'].includes(toneOf(cell)) ? gfm`**${wordOf(cell)}**` : wordOf(cell),
  );
  return [[gfm`${row.id} ${row.title}`, ...cells], ...values];
}

function words(): Gfm[] {
  return Object.entries(legend).map(([word, meaning]) => gfm`- **${word}** ${meaning}\n`);
}
