/** The progress of a run as one line per test. */
import type { Writable } from 'node:stream';
import pc from 'picocolors';
import type { RunListener } from '../../run/plan.js';
import type { RunRecord, TestRecord } from '../../run/record.js';
import { verdictWord } from './terminal.js';
import { duration, oneLine } from '../text.js';

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

/** The first line of a run. */
export function opening(run: RunRecord, total: number): string {
  return oneLine(`run ${run.id}: ${total} ${total === 1 ? 'test' : 'tests'}, lab ${run.lab}, kernel ${run.kernel}`);
}

/** The line of a test that has ended, with the reason below it. */
export function outcome(record: TestRecord, colour: boolean): string {
  const colours = pc.createColors(colour);
  const word = record.verdict === 'passed' ? colours.green('ok') : verdictWord(record.verdict, colours);
  const line = `${word} ${oneLine(`${record.id} ${record.title}`)} (${duration(record.durationMs)})`;
  const below: string[] = [];
  const reason = record.reason ?? record.failure?.message;
  if (reason && record.verdict !== 'passed') below.push(reason);
  if (record.repeated !== undefined) below.push(`ran twice: ${record.repeated}`);
  return [line, ...below.map((text) => `  ${oneLine(text)}`)].join('\n');
}
