/** What a run shows while it is going on: one line per test, or a single status line on a terminal. */
import type { Writable } from 'node:stream';
import pc from 'picocolors';
import type { RunRecord, TestRecord } from '../run/record.js';
import { verdictWord } from './terminal.js';
import { cut, duration, oneLine } from './text.js';

/** Told of a run's events, in this order: begin, then testStarted and testEnded for each test, then end. */
export interface Progress {
  /** Called at any time, with something that the user should know. */
  remark(line: string): void;
  /** @param total how many tests are to be performed */
  begin(run: RunRecord, total: number): void;
  /**
   * @param title with its id: "A1.3 mode vepa"
   * @param number position in the run, from 1
   */
  testStarted(title: string, number: number): void;
  testEnded(record: TestRecord): void;
  /** Also called when the run was interrupted; nothing is shown after it. */
  end(): void;
}

/** A stream that may be a terminal: `process.stdout`, or a stream of a test. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** The progress that suits an output: a status line on a terminal, else plain lines. */
export function progressOn(out: Output, colour: boolean): Progress {
  return out.isTTY ? new StatusProgress(out, colour) : new LineProgress(out, colour);
}

/** One line per test as it ends, for logs: "ok A1.3 title (34 ms)". */
export class LineProgress implements Progress {
  readonly #out: Writable;
  readonly #colour: boolean;

  constructor(out: Writable, colour: boolean) {
    this.#out = out;
    this.#colour = colour;
  }

  remark(line: string): void {
    this.#out.write(`${line}\n`);
  }

  begin(run: RunRecord, total: number): void {
    this.#out.write(`${opening(run, total)}\n`);
  }

  testStarted(): void {
    // A log shows what has happened; a test that has only begun is no news.
  }

  testEnded(record: TestRecord): void {
    this.#out.write(`${outcome(record, this.#colour)}\n`);
  }

  end(): void {
    // Every line is complete already.
  }
}

const eraseLine = '\r\u001b[K';

/**
 * One status line at the bottom, written over itself with a carriage return and erase-to-end-of-line (ECMA-48 8.3.41
 * "EL"); failures and errors are printed above it as they happen.
 */
export class StatusProgress implements Progress {
  readonly #out: Output;
  readonly #colour: boolean;
  #total = 0;
  #begun = 0;
  #status = '';

  constructor(out: Output, colour: boolean) {
    this.#out = out;
    this.#colour = colour;
  }

  remark(line: string): void {
    this.#out.write(`${this.#status === '' ? '' : eraseLine}${oneLine(line)}\n`);
    if (this.#status !== '') this.#draw();
  }

  begin(run: RunRecord, total: number): void {
    this.#total = total;
    this.#out.write(`${opening(run, total)}\n`);
  }

  testStarted(title: string): void {
    // How many have been begun, not which one it is: labs side by side begin them in no order.
    this.#begun++;
    this.#status = oneLine(`${this.#begun}/${this.#total} ${title} …`);
    this.#draw();
  }

  testEnded(record: TestRecord): void {
    if (record.verdict !== 'failed' && record.verdict !== 'error') return;
    this.#out.write(`${eraseLine}${outcome(record, this.#colour)}\n`);
    this.#draw();
  }

  end(): void {
    this.#status = '';
    this.#draw();
  }

  /** One column stays free: a line that fills a terminal may wrap, and a wrapped line cannot be erased this way. */
  #draw(): void {
    this.#out.write(eraseLine + cut(this.#status, (this.#out.columns || 80) - 1));
  }
}

function opening(run: RunRecord, total: number): string {
  return oneLine(`run ${run.id}: ${total} ${total === 1 ? 'test' : 'tests'}, lab ${run.lab}, kernel ${run.kernel}`);
}

function outcome(record: TestRecord, colour: boolean): string {
  const colours = pc.createColors(colour);
  const word = record.verdict === 'passed' ? colours.green('ok') : verdictWord(record.verdict, colours);
  const line = `${word} ${oneLine(`${record.id} ${record.title}`)} (${duration(record.durationMs)})`;
  const reason = record.reason ?? record.failure?.message;
  return reason && record.verdict !== 'passed' ? `${line}\n  ${oneLine(reason)}` : line;
}
