/** Reports a matrix after its run or merge: its table in files and on the terminal, its baseline and history. */
import { MacvlabError } from '../../core/error.js';
import { baselineOf, type Baseline } from '../../matrix/compare/baseline.js';
import { readBaseline, writeBaseline } from '../../matrix/compare/baseline-file.js';
import { compareWithBaseline } from '../../matrix/compare/compare.js';
import { keepInHistory } from '../../matrix/compare/history.js';
import type { KnownDifference } from '../../matrix/compare/known-difference.js';
import { readKnownDifferences, withOwnDifferences } from '../../matrix/compare/known-differences-file.js';
import { tableOf } from '../../matrix/compare/table.js';
import { readMatrix, writeMatrixFile } from '../../matrix/folder.js';
import { exitCodeOfMatrix } from '../../matrix/outcome.js';
import { matrixHtml } from '../../report/matrix/html.js';
import { matrixJunit } from '../../report/matrix/junit.js';
import { matrixMarkdown } from '../../report/matrix/markdown.js';
import { matrixTerminal } from '../../report/matrix/terminal.js';
import { notice, print, printJson, wantsColour, widthOf } from '../output.js';
import type { TableOptions } from './table-options.js';

/** The options, and the known differences. A wrong file is reported before hours of work, not after them. */
export interface TableMeans {
  options: TableOptions;
  known: readonly KnownDifference[];
}

/** @throws MacvlabError USAGE */
export function readTableOptions(options: TableOptions): TableMeans {
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
  const own = known === undefined ? [] : readKnownDifferences(known);
  earlierState(options);
  return { options, known: withOwnDifferences(own) };
}

/**
 * The state to compare with; undefined if there is none yet.
 * @param before ISO 8601: a matrix is not compared with itself
 */
function earlierState(
  { baseline, updateBaseline = false, history }: TableOptions,
  before?: string,
): Baseline | undefined {
  const options = before === undefined ? {} : { before };
  if (baseline !== undefined) return readBaseline(baseline, { ...options, mayBeMissing: updateBaseline });
  return history === undefined ? undefined : readBaseline(history, { ...options, mayBeMissing: true });
}

/**
 * Writes the reports of a matrix, prints the requested one, and saves the matrix's state if requested.
 * @returns the exit code
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export async function conclude(folder: string, { options, known }: TableMeans): Promise<number> {
  const results = await readMatrix(folder);
  const table = tableOf(results, known);
  const { baseline, updateBaseline = false, history, reporter } = options;
  const compares = baseline !== undefined || history !== undefined;
  const earlier = earlierState(options, table.startedAt);
  const comparison = compares ? compareWithBaseline(table, earlier, known) : undefined;
  const markdown = matrixMarkdown(table, comparison);
  const write = (name: string, text: string) => writeMatrixFile(results.folder, name, text);
  write('table.json', `${JSON.stringify({ table, comparison }, null, 2)}\n`);
  write('table.md', `${markdown}\n`);
  const page = write('table.html', matrixHtml(table, comparison));
  write('junit.xml', matrixJunit(table, { folder: results.folder }));
  if (reporter === 'json') printJson({ table, comparison });
  if (reporter === 'markdown') print(markdown);
  if (reporter === 'terminal') {
    const look = { width: widthOf(process.stdout), colour: wantsColour(process.stdout), folder: results.folder };
    print(matrixTerminal(table, look, comparison));
  }
  if (updateBaseline || history !== undefined) {
    if (table.complete) {
      const state = baselineOf(table, earlier);
      if (updateBaseline && baseline !== undefined) notice(`baseline: ${writeBaseline(baseline, state)}`);
      if (history !== undefined) notice(`history:  ${keepInHistory(history, state)}`);
    } else notice('baseline and history stay as they were: not all of the matrix was performed');
  }
  notice(`table:    ${page}`, `folder:   ${results.folder}`);
  return exitCodeOfMatrix({ table, interrupted: results.matrix.interrupted, comparison });
}
