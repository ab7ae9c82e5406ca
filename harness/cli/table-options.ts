/** What becomes of a matrix when it has been performed or merged: its table in files and on the terminal, its baseline and history. */
import { Option, type Command } from 'commander';
import { MacvlabError } from '../core/error.js';
import type { Baseline } from '../matrix/baseline.js';
import type { KnownDifference } from '../matrix/known-difference.js';
import { remark, say, sayJson, wantsColour, widthOf } from './output.js';

export interface TableOptions {
  known?: string;
  baseline?: string;
  updateBaseline?: boolean;
  history?: string;
  reporter: (typeof tableReporters)[number];
}

const tableReporters = ['terminal', 'markdown', 'json'] as const;

/** Adds them to a command. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--known <file>', 'further differences that are known, with their reasons')
    .option('--baseline <file>', 'compare with an earlier state: exit code 1 only for what got worse')
    .option('--update-baseline', 'write the state that this comes to, as the new baseline')
    .option(
      '--history <folder>',
      'compare with the newest state in a folder, unless --baseline says another; add this one',
    )
    .addOption(new Option('--reporter <name>', 'what to print').choices(tableReporters).default('terminal'));
}

/** What the options name, read before anything is performed: a wrong file is told before hours of work, not behind them. */
export interface TableMeans {
  options: TableOptions;
  known: readonly KnownDifference[];
}

/** @throws MacvlabError USAGE */
export async function readTableOptions(options: TableOptions): Promise<TableMeans> {
  const { known, baseline, updateBaseline = false } = options;
  if (updateBaseline && baseline === undefined) {
    throw new MacvlabError('USAGE', 'there is no baseline to update', {
      next: 'name its file: --baseline nightly.json',
    });
  }
  if (baseline === '-') {
    throw new MacvlabError('USAGE', '--baseline was given -, and a state is read as well as written', {
      next: 'name a file: --baseline nightly.json',
    });
  }
  const { readKnownDifferences, withOwnDifferences } = await import('../matrix/known-differences-file.js');
  const own = known === undefined ? [] : readKnownDifferences(known);
  await earlierState(options);
  return { options, known: withOwnDifferences(own) };
}

/**
 * What is compared with; undefined when there is nothing yet.
 * @param before a matrix is not compared with itself: ISO 8601
 */
async function earlierState(
  { baseline, updateBaseline = false, history }: TableOptions,
  before?: string,
): Promise<Baseline | undefined> {
  const { readBaseline } = await import('../matrix/baseline-file.js');
  const options = before === undefined ? {} : { before };
  if (baseline !== undefined) return readBaseline(baseline, { ...options, mayBeMissing: updateBaseline });
  return history === undefined ? undefined : readBaseline(history, { ...options, mayBeMissing: true });
}

/**
 * Makes the reports of a matrix, shows what was asked for, and keeps its state where that was asked for.
 * @returns the exit code
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export async function conclude(folder: string, { options, known }: TableMeans): Promise<number> {
  const [matrix, baselines, { writeBaseline }, { keepInHistory }, outcome, views] = await Promise.all([
    import('../matrix/folder.js'),
    import('../matrix/baseline.js'),
    import('../matrix/baseline-file.js'),
    import('../matrix/history.js'),
    import('../matrix/outcome.js'),
    loadViews(),
  ]);
  const results = await matrix.readMatrix(folder);
  const table = views.tableOf(results, known);
  const { baseline, updateBaseline = false, history, reporter } = options;
  const compares = baseline !== undefined || history !== undefined;
  const earlier = await earlierState(options, table.startedAt);
  const comparison = compares ? views.compareWithBaseline(table, earlier, known) : undefined;
  const markdown = views.kernelTableMarkdown(table, comparison);
  const write = (name: string, text: string) => matrix.writeMatrixFile(results.folder, name, text);
  write('table.json', `${JSON.stringify({ table, comparison }, null, 2)}\n`);
  write('table.md', `${markdown}\n`);
  const page = write('table.html', views.kernelTableHtml(table, comparison));
  write('junit.xml', views.kernelTableJunit(table, { folder: results.folder }));
  if (reporter === 'json') sayJson({ table, comparison });
  if (reporter === 'markdown') say(markdown);
  if (reporter === 'terminal') {
    const look = { width: widthOf(process.stdout), colour: wantsColour(process.stdout), folder: results.folder };
    say(views.kernelTableTerminal(table, look, comparison));
  }
  if (updateBaseline || history !== undefined) {
    if (table.complete) {
      const state = baselines.baselineOf(table, earlier);
      if (updateBaseline && baseline !== undefined) remark(`baseline: ${writeBaseline(baseline, state)}`);
      if (history !== undefined) remark(`history:  ${keepInHistory(history, state)}`);
    } else remark('baseline and history stay as they were: not all of the matrix was performed');
  }
  remark(`table:    ${page}`, `folder:   ${results.folder}`);
  return outcome.exitCodeOfMatrix({ table, interrupted: results.matrix.interrupted, comparison });
}

async function loadViews() {
  const [table, compare, terminal, markdown, html, junit] = await Promise.all([
    import('../matrix/table.js'),
    import('../matrix/compare.js'),
    import('../report/kernel-table-terminal.js'),
    import('../report/kernel-table-markdown.js'),
    import('../report/kernel-table-html.js'),
    import('../report/kernel-table-junit.js'),
  ]);
  return { ...table, ...compare, ...terminal, ...markdown, ...html, ...junit };
}
