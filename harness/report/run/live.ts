/** The progress of a run on a terminal: counts, the time left, what runs in each lab, and what has been awaited for long. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { every, waitsUnderWay } from '../../core/wait.js';
import type { RunListener } from '../../run/plan.js';
import type { RunRecord, TestRecord } from '../../run/record.js';
import { StatusLine, type Output } from '../status-line.js';
import { duration, oneLine } from '../text.js';
import { columns, cut } from '../width.js';
import { countVerdicts } from './outcome.js';
import { LineProgress, opening, outcome } from './progress.js';

/**
 * The progress for an output: the live view on a terminal that can erase lines, otherwise plain lines.
 * @param isShared whether another process also writes to the terminal: the view then has one line
 */
export function progressOn(out: Output, colour: boolean, isShared = false): RunListener {
  if (!out.isTTY || process.env.TERM === 'dumb') return new LineProgress(out, colour);
  return new LiveProgress(out, colour, isShared ? new StatusView(out) : new BlockView(out));
}

/** Lines at the bottom of a terminal that overwrite themselves. */
interface View {
  show(lines: readonly string[]): void;
  /** Prints text above them, which stays. */
  print(text: string): void;
  clear(): void;
}

/** Several lines. They are erased by their number, so that no other process may write to the terminal. */
class BlockView implements View {
  readonly #out: Output;
  readonly #update: ReturnType<typeof createLogUpdate>;

  constructor(out: Output) {
    this.#out = out;
    this.#update = createLogUpdate(out);
  }

  show(lines: readonly string[]): void {
    // A full line may wrap.
    const width = (this.#out.columns || 80) - 1;
    this.#update(lines.map((line) => cut(line, width)).join('\n'));
  }

  print(text: string): void {
    this.#update.clear();
    this.#out.write(`${text}\n`);
  }

  clear(): void {
    this.#update.clear();
    this.#update.done();
  }
}

/** One line. */
class StatusView implements View {
  readonly #line: StatusLine;

  constructor(out: Output) {
    this.#line = new StatusLine(out);
  }

  show(lines: readonly string[]): void {
    this.#line.show(lines.join('   '));
  }

  print(text: string): void {
    this.#line.print(text);
  }

  clear(): void {
    this.#line.show('');
  }
}

/** Milliseconds between two drawings of the view if nothing happens. */
const interval = 500;

/** Milliseconds after which a wait is shown. Nearly all are shorter. */
const longWait = 1000;

/** How many tests must have ended before the time left is estimated. */
const enough = 5;

interface RunningTest {
  title: string;
  began: number;
}

/** A view at the bottom of a terminal; it prints failures and errors above the view, as they happen. */
export class LiveProgress implements RunListener {
  readonly #colour: boolean;
  readonly #view: View;
  readonly #stopDrawing: () => void;
  readonly #began = performance.now();
  /** By lab: "sandbox 1". */
  readonly #running = new Map<string, RunningTest>();
  readonly #labOf = new Map<number, string>();
  readonly #ended: TestRecord[] = [];
  #total = 0;

  constructor(out: Output, colour: boolean, view: View = new BlockView(out)) {
    this.#colour = colour;
    this.#view = view;
    this.#stopDrawing = every(interval, () => this.#draw());
  }

  remark(line: string): void {
    this.#print(oneLine(line));
  }

  begin(run: RunRecord, total: number): void {
    this.#total = total;
    this.#print(opening(run, total));
  }

  testStarted(title: string, number: number, lab: string): void {
    this.#labOf.set(number, lab);
    this.#running.set(lab, { title, began: performance.now() });
    this.#draw();
  }

  testEnded(record: TestRecord): void {
    this.#running.delete(this.#labOf.get(record.number) ?? '');
    this.#ended.push(record);
    if (record.verdict === 'failed' || record.verdict === 'error') this.#print(outcome(record, this.#colour));
  }

  end(): void {
    this.#stopDrawing();
    this.#view.clear();
  }

  #print(text: string): void {
    this.#view.print(text);
    this.#draw();
  }

  #draw(): void {
    if (this.#total === 0) return;
    const now = performance.now();
    const labs = [...this.#running].map(([lab, { title, began }]) => [lab, duration(now - began), oneLine(title)]);
    // The wait that began last: others wait for all of an experiment.
    const wait = waitsUnderWay().findLast(({ began }) => now - began > longWait);
    const waits = wait ? [`waits ${duration(now - wait.began)} for ${wait.what}`] : [];
    this.#view.show([this.#summary(now), ...columns(labs), ...waits.map(oneLine)]);
  }

  /** "12 of 224: 10 passed, 1 failed, 1 skipped; 8.2 s, about 1 min 5 s left" */
  #summary(now: number): string {
    const { dim } = pc.createColors(this.#colour);
    const counts = Object.entries(countVerdicts(this.#ended)).filter(([, count]) => count > 0);
    const elapsed = now - this.#began;
    const ended = this.#ended.length;
    const left = (elapsed / ended) * (this.#total - ended);
    const times = [duration(elapsed), ...(ended >= enough ? [`about ${duration(left)} left`] : [])];
    return `${ended} of ${this.#total}: ${counts.map(([verdict, count]) => `${count} ${verdict}`).join(', ') || 'none yet'}; ${dim(times.join(', '))}`;
  }
}
