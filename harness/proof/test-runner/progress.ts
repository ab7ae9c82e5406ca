/** The output of `npm test` while it runs: a status line on a terminal, otherwise a plain line for each ended job. */
import pc from 'picocolors';
import { StatusLine, type Output } from '../../report/status-line.js';
import { duration, oneLine } from '../../report/text.js';
import { type Job, remaining } from './schedule.js';
import { type Outcome, totalLine } from './totals.js';

/** The displayed part of a job's result. */
export interface Shown extends Outcome {
  /** The part of the job's output to show; may be empty. */
  output: string;
}

/** How many of the slowest jobs are listed at the end. */
const slowest = 10;

export class TestProgress<T extends Shown> {
  readonly #line: StatusLine;
  readonly #isTerminal: boolean;
  readonly #colours: ReturnType<typeof pc.createColors>;
  readonly #jobs: readonly Job<T>[];
  readonly #began = new Map<Job<T>, number>();
  readonly #took = new Map<Job<T>, number>();
  #failed = 0;

  /** @param jobs all jobs that will run, longest first */
  constructor(out: Output, colour: boolean, jobs: readonly Job<T>[]) {
    this.#line = new StatusLine(out);
    this.#isTerminal = out.isTTY === true;
    this.#colours = pc.createColors(colour && this.#isTerminal);
    this.#jobs = jobs;
    const time = this.#remaining();
    this.#say(`${jobs.length} test files and programs${time}`);
  }

  began(job: Job<T>): void {
    this.#began.set(job, performance.now());
    this.#line.show(this.#status());
  }

  ended(job: Job<T>, { counts, problems, output }: T, milliseconds: number): void {
    this.#took.set(job, milliseconds);
    this.#failed += counts.failed;
    const bad = counts.failed > 0;
    const word = bad ? this.#colours.red('FAILED') : this.#colours.green('ok');
    const line = `${this.#position()} ${word} ${job.name}: ${totalLine(counts)} (${duration(milliseconds)})${this.#remaining()}`;
    if (bad || output !== '' || !this.#isTerminal) this.#say(line);
    if (output !== '') this.#say(output.trimEnd());
    if (bad) for (const problem of problems) this.#say(`  ${oneLine(problem)}`);
    this.#line.show(this.#status());
  }

  /** Lists the slowest jobs. Nothing is shown after this call. */
  end(): void {
    const slow = [...this.#took].sort(([, a], [, b]) => b - a).slice(0, slowest);
    this.#began.clear();
    this.#line.show(this.#status());
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
    this.#line.print(text, this.#status());
  }

  #status(): string {
    const running = [...this.#began.keys()].filter((job) => !this.#took.has(job)).map(({ name }) => name);
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    return running.length === 0 ? '' : `${this.#position()}${failed}${this.#remaining()}: ${running.join(', ')}`;
  }
}
