/** What `npm test` shows while it runs: on a terminal a status line, else a plain line for each job that ends. */
import pc from 'picocolors';
import type { Output } from '../report/progress.js';
import { cut, duration, oneLine } from '../report/text.js';
import { type Job, remaining } from './schedule.js';
import { type Outcome, totalLine } from './totals.js';

/** The result of a job, as far as it is shown. */
export interface Shown extends Outcome {
  /** What is shown of its output, if anything. */
  output: string;
}

const eraseLine = '\r\u001b[K';

/** How many of the slowest jobs are listed at the end. */
const slowest = 10;

export class TestProgress<T extends Shown> {
  readonly #out: Output;
  readonly #colours: ReturnType<typeof pc.createColors>;
  readonly #jobs: readonly Job<T>[];
  readonly #began = new Map<Job<T>, number>();
  readonly #took = new Map<Job<T>, number>();
  #failed = 0;

  /** @param jobs all that will run, longest first */
  constructor(out: Output, colour: boolean, jobs: readonly Job<T>[]) {
    this.#out = out;
    this.#colours = pc.createColors(colour && out.isTTY === true);
    this.#jobs = jobs;
    const time = this.#remaining();
    this.#say(`${jobs.length} test files and programs${time}`);
  }

  began(job: Job<T>): void {
    this.#began.set(job, performance.now());
    this.#draw();
  }

  ended(job: Job<T>, { counts, problems, output }: T, milliseconds: number): void {
    this.#took.set(job, milliseconds);
    this.#failed += counts.failed;
    const bad = counts.failed > 0;
    const word = bad ? this.#colours.red('FAILED') : this.#colours.green('ok');
    const line = `${this.#position()} ${word} ${job.name}: ${totalLine(counts)} (${duration(milliseconds)})${this.#remaining()}`;
    if (bad || output !== '' || !this.#out.isTTY) this.#say(line);
    if (output !== '') this.#say(output.trimEnd());
    if (bad) for (const problem of problems) this.#say(`  ${oneLine(problem)}`);
    this.#draw();
  }

  /** Lists the slowest jobs. Nothing is shown after it. */
  end(): void {
    const slow = [...this.#took].sort(([, a], [, b]) => b - a).slice(0, slowest);
    this.#began.clear();
    this.#draw();
    this.#say('slowest:');
    for (const [{ name }, time] of slow) this.#say(`  ${duration(time).padStart(12)}  ${name}`);
  }

  #position(): string {
    return `${this.#took.size}/${this.#jobs.length}`;
  }

  /** ", about 3 min 10 s left" */
  #remaining(): string {
    const open = this.#jobs.filter((job) => !this.#took.has(job));
    const now = performance.now();
    const time = remaining(open, (job) => now - (this.#began.get(job) ?? now));
    return time === undefined || open.length === 0 ? '' : `, about ${duration(time)} left`;
  }

  #say(text: string): void {
    this.#out.write(`${this.#out.isTTY ? eraseLine : ''}${text}\n`);
    this.#draw();
  }

  /** One column stays free: a line that fills a terminal may wrap, and a wrapped line cannot be erased this way. */
  #draw(): void {
    if (!this.#out.isTTY) return;
    const running = [...this.#began.keys()].filter((job) => !this.#took.has(job)).map(({ name }) => name);
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    const status = `${this.#position()}${failed}${this.#remaining()}: ${running.join(', ')}`;
    this.#out.write(eraseLine + (running.length === 0 ? '' : cut(oneLine(status), (this.#out.columns || 80) - 1)));
  }
}
