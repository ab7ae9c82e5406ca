/** The output of `macvlab run`, during a run and at its end. */
import { Writable } from 'node:stream';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MacvlabError, messageOf } from '../../core/error.js';
import type { KnownDifference } from '../../matrix/compare/known-difference.js';
import { exportedTests } from '../../report/export/exported-tests.js';
import { ktap } from '../../report/export/ktap.js';
import { junitFile, junitXml } from '../../report/run/junit.js';
import { LiveProgress, progressOn } from '../../report/run/live.js';
import { LineProgress } from '../../report/run/progress.js';
import { pageFile, runPage } from '../../report/run/page.js';
import { shortfall } from '../../report/run/outcome.js';
import { summaryLine, terminalTable } from '../../report/run/terminal.js';
import { visible } from '../../report/text.js';
import type { RunListener } from '../../run/plan.js';
import type { RunResults } from '../../run/record.js';
import { notice, printJson, wantsColour, widthOf } from '../output.js';
import type { ReporterName } from './reporter-names.js';

/**
 * The reporters of a run. JUnit and the page are always written. If standard output gets results as JSON or KTAP, or frames, all else
 * goes to standard error.
 */
export class Reporters {
  readonly listener: RunListener;
  readonly #names: ReadonlySet<ReporterName>;
  readonly #known: readonly KnownDifference[];
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;

  /**
   * @param known the known differences that the KTAP output has as expected failures
   * @param framesOnOutput whether standard output gets the frames of the run
   * @param isShared whether another process also writes to the terminal
   */
  constructor(
    names: readonly ReporterName[],
    known: readonly KnownDifference[],
    { framesOnOutput = false, isShared = false } = {},
  ) {
    this.#names = new Set(names);
    this.#known = known;
    const isTaken = framesOnOutput || this.#names.has('json') || this.#names.has('ktap');
    this.#out = isTaken ? process.stderr : process.stdout;
    this.#colour = wantsColour(this.#out);
    this.listener = this.#progress(isShared);
  }

  /** Prints a message during the run. It does not disturb the live view, and otherwise goes to standard error. */
  message(line: string): void {
    if (this.listener instanceof LiveProgress) this.listener.remark(line);
    else notice(line);
  }

  /** Writes and shows the results of a run. @throws MacvlabError OUT_NOT_WRITABLE */
  end(results: RunResults): void {
    const junit = writeReport(results, junitFile, junitXml(results));
    writeReport(results, pageFile, runPage(results));
    if (this.#names.has('json')) printJson(results);
    if (this.#names.has('ktap')) process.stdout.write(`${ktap(results, exportedTests(results, this.#known))}\n`);
    if (this.#names.has('junit')) this.#out.write(`${junit}\n`);
    if (this.#names.has('terminal')) {
      this.#out.write(`\n${terminalTable(results, { width: widthOf(this.#out), colour: this.#colour })}\n`);
    } else if (this.#names.has('lines')) {
      const failure = shortfall(results);
      if (failure) {
        const evidence = failure.details ? `\n${failure.details.replace(/^/gm, '    ')}` : '';
        this.#out.write(visible(`${failure.code}: ${failure.message}${evidence}\n  next: ${failure.next ?? ''}\n`));
      }
      this.#out.write(`records and reports: ${results.folder}\n${summaryLine(results.records)}\n`);
    }
  }

  #progress(isShared: boolean): RunListener {
    if (this.#names.has('lines')) return new LineProgress(this.#out, this.#colour);
    if (this.#names.has('terminal')) return progressOn(this.#out, this.#colour, isShared);
    return new LineProgress(nowhere(), false);
  }
}

/** Writes a report into the run's folder, and returns its path. */
function writeReport({ folder }: RunResults, file: string, content: string): string {
  const path = join(folder, file);
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new MacvlabError('OUT_NOT_WRITABLE', `${path} cannot be written: ${messageOf(error)}`, {
      next: 'choose a folder that you may write with --out',
      cause: error,
    });
  }
  return path;
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
