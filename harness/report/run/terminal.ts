/** The terminal view of a run: a table of all tests, then all failures and errors in full, then the paths of the files. */
import { dirname, join, relative } from 'node:path';
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Failure, RunResults, TestRecord, Verdict } from '../../run/record.js';
import { framePathCommand } from './frame-path.js';
import { junitFile } from './junit.js';
import { pageFile } from './page.js';
import { countVerdicts, exitCodeOf, shortfall, summaryLine } from './outcome.js';
import { duration, oneLine, visible } from '../text.js';
import { cut, wrap } from '../width.js';

export { summaryLine } from './outcome.js';

export interface TerminalOptions {
  /** Columns of the terminal; a width below 40 counts as 40. */
  width: number;
  colour: boolean;
}

type Colours = ReturnType<typeof pc.createColors>;

/** A run as text for a terminal, without a newline at its end; its last line is the summary line. */
export function terminalTable(results: RunResults, options: TerminalOptions): string {
  const colours = pc.createColors(options.colour);
  const width = Math.max(40, options.width);
  const { records } = results;
  const bad = records.filter(({ verdict }) => verdict === 'failed' || verdict === 'error');
  const parts = [
    ...(records.length > 0 ? [table(records, width, colours)] : []),
    ...bad.map((record) => failureBlock(results.folder, record, options.colour)),
    ...repeatedBlock(records),
    ...shortfallBlock(results, colours),
    files(results),
    [...errorsLine(results), summaryLine(records)].join('\n'),
  ];
  return parts.join('\n\n');
}

/** The word for a verdict, always in the same colour. */
export function verdictWord(verdict: Verdict, colours: Colours): string {
  if (verdict === 'passed') return colours.green('passed');
  if (verdict === 'skipped') return colours.yellow('skipped');
  return verdict === 'failed' ? colours.red('FAILED') : colours.magenta('ERROR');
}

/** Below this width the reason is under the title: two columns of text would be too narrow to read. */
const narrow = 90;

function table(records: TestRecord[], width: number, colours: Colours): string {
  const times = records.map(({ durationMs }) => duration(durationMs));
  const longest = (texts: string[]): number => Math.max(...texts.map(({ length }) => length));
  const padding = 2;
  const idWidth = Math.min(longest([...records.map(({ id }) => oneLine(id)), 'id']), 10) + padding;
  const verdictWidth = 'verdict'.length + padding;
  const timeWidth = longest([...times, 'time']) + padding;
  const isNarrow = width < narrow;
  const borders = isNarrow ? 5 : 6;
  const rest = width - idWidth - verdictWidth - timeWidth - borders;
  const titleWidth = isNarrow ? rest : Math.floor(rest / 2);
  const reasonWidth = rest - titleWidth;
  const fixed = [verdictWidth, timeWidth];
  const drawn = new Table({
    head: isNarrow ? ['id', 'title', 'verdict', 'time'] : ['id', 'title', 'verdict', 'time', 'reason'],
    colWidths: [idWidth, titleWidth, ...fixed, ...(isNarrow ? [] : [reasonWidth])],
    colAligns: ['left', 'left', 'left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  records.forEach((record, index) => {
    const whole = oneLine(record.reason ?? record.failure?.message ?? '');
    // At most three lines of a reason if the block below the table shows it in full.
    const isBelow = record.verdict === 'failed' || record.verdict === 'error';
    const reason = isBelow ? cut(whole, 3 * ((isNarrow ? rest : reasonWidth) - 4)) : whole;
    // Wrapped here, because the table cuts words that are longer than a line.
    const inColumn = (text: string, column: number) => (text === '' ? [] : wrap(text, column - padding));
    const title = inColumn(record.title, titleWidth);
    const shown = [verdictWord(record.verdict, colours), times[index] ?? ''];
    const id = inColumn(record.id, idWidth).join('\n');
    if (isNarrow) {
      const below = inColumn(reason, titleWidth).map((line) => colours.dim(line));
      drawn.push([id, [...title, ...below].join('\n'), ...shown]);
    } else drawn.push([id, title.join('\n'), ...shown, inColumn(reason, reasonWidth).join('\n')]);
  });
  return drawn.toString();
}

/** A failure or error in full. @param folder the run's */
export function failureBlock(
  folder: string,
  record: Pick<TestRecord, 'id' | 'title' | 'verdict' | 'reason' | 'failure' | 'evidence'>,
  colour: boolean,
): string {
  const colours = pc.createColors(colour);
  const { failure, evidence } = record;
  const reason = record.reason ?? failure?.message;
  const repro = evidence.find(({ kind }) => kind === 'repro');
  const [first] = evidence;
  const path = framePathCommand(evidence, (file) => shown(join(folder, file)));
  return [
    `${verdictWord(record.verdict, colours)} ${colours.bold(oneLine(`${record.id} ${record.title}`))}`,
    ...(reason ? [`  ${oneLine(reason)}`] : []),
    ...failureLines(failure, reason),
    ...(first ? [`  evidence: ${shown(join(folder, dirname(first.file)))}`] : []),
    ...(path ? [`  frame:    ${oneLine(path)}`] : []),
    ...(repro ? [`  repeat:   ${shown(join(folder, repro.file))}`] : []),
  ].join('\n');
}

function failureLines(failure: Failure | undefined, alreadySaid: string | undefined): string[] {
  if (!failure) return [];
  return [
    ...(failure.message === alreadySaid ? [] : [`  ${oneLine(failure.message)}`]),
    ...(failure.details ? [visible(failure.details).trimEnd().replace(/^/gm, '    ')] : []),
    ...(failure.next ? [`  next:     ${oneLine(failure.next)}`] : []),
    ...(failure.code === 'ASSERTION' ? [] : [`  code:     ${oneLine(failure.code)} (docs/errors.md)`]),
  ];
}

/** The experiments that ran twice. */
function repeatedBlock(records: TestRecord[]): string[] {
  const lines = records.flatMap(({ id, title, repeated }) =>
    repeated === undefined ? [] : [oneLine(`ran twice: ${id} ${title}: ${repeated}`)],
  );
  return lines.length > 0 ? [lines.join('\n')] : [];
}

/** The failure of the run as a whole, if there is one. */
function shortfallBlock(results: RunResults, colours: Colours): string[] {
  const missing = shortfall(results);
  if (!missing) return [];
  const heading = `${verdictWord('error', colours)} ${colours.bold(oneLine(missing.message))}`;
  return [[heading, ...failureLines(missing, missing.message)].join('\n')];
}

function files({ folder }: RunResults): string {
  return [
    `report:   ${shown(join(folder, pageFile))}`,
    `JUnit:    ${shown(join(folder, junitFile))}`,
    `records:  ${shown(join(folder, 'records'))}`,
    `evidence: ${shown(join(folder, 'evidence'))}`,
  ].join('\n');
}

function errorsLine(results: RunResults): string[] {
  const { error } = countVerdicts(results.records);
  if (error === 0) return [];
  const were = error === 1 ? '1 was an error' : `${error} were errors`;
  return [`of the failed, ${were} of the lab (exit ${exitCodeOf(results)})`];
}

/** A path to copy into the next command: relative to the current folder if it is below it. */
function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return oneLine(fromHere.startsWith('..') ? path : fromHere || '.');
}
