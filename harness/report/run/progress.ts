/** The progress of a run: one line per test, or a single status line on a terminal. */
import type { Writable } from 'node:stream';
import pc from 'picocolors';
import type { RunListener } from '../../run/plan.js';
import type { RunRecord, TestRecord } from '../../run/record.js';
import { verdictWord } from './terminal.js';
import { duration, oneLine } from '../text.js';
import { StatusLine, type Output } from '../status-line.js';

/** The progress for an output: a status line on a terminal, otherwise plain lines. */
export function progressOn(out: Output, colour: boolean): RunListener {
  return out.isTTY ? new StatusProgress(out, colour) : new LineProgress(out, colour);
}

/** One line per test as it ends, for logs: "ok A1.3 title (34 ms)". */
export class LineProgress implements RunListener {
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
    // A log shows only tests that have ended.
  }

  testEnded(record: TestRecord): void {
    this.#out.write(`${outcome(record, this.#colour)}\n`);
  }

  end(): void {
    // Every line is already complete.
  }
}

/** One status line at the bottom; it prints failures and errors above, as they happen. */
export class StatusProgress implements RunListener {
  readonly #line: StatusLine;
  readonly #colour: boolean;
  #total = 0;
  #begun = 0;

  constructor(out: Output, colour: boolean) {
    this.#line = new StatusLine(out);
    this.#colour = colour;
  }

  remark(line: string): void {
    this.#line.print(oneLine(line));
  }

  begin(run: RunRecord, total: number): void {
    this.#total = total;
    this.#line.print(opening(run, total));
  }

  testStarted(title: string): void {
    // The number of tests that have begun, not the number of this test: parallel labs begin them in no order.
    this.#begun++;
    this.#line.show(`${this.#begun}/${this.#total} ${title} …`);
  }

  testEnded(record: TestRecord): void {
    if (record.verdict === 'failed' || record.verdict === 'error') this.#line.print(outcome(record, this.#colour));
  }

  end(): void {
    this.#line.show('');
  }
}

function opening(run: RunRecord, total: number): string {
  return oneLine(`run ${run.id}: ${total} ${total === 1 ? 'test' : 'tests'}, lab ${run.lab}, kernel ${run.kernel}`);
}

function outcome(record: TestRecord, colour: boolean): string {
  const colours = pc.createColors(colour);
  const word = record.verdict === 'passed' ? colours.green('ok') : verdictWord(record.verdict, colours);
  const line = `${word} ${oneLine(`${record.id} ${record.title}`)} (${duration(record.durationMs)})`;
  const below: string[] = [];
  const reason = record.reason ?? record.failure?.message;
  if (reason && record.verdict !== 'passed') below.push(reason);
  if (record.repeated !== undefined) below.push(`ran twice: ${record.repeated}`);
  return [line, ...below.map((text) => `  ${oneLine(text)}`)].join('\n');
}
