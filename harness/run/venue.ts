/**
 * Where experiments can be performed: the labs of a run, from the cheapest to the most capable. Each suite file goes to the
 * first that can carry it; whether one can is found by trying in it.
 */
import { Changes } from '../core/wait.js';
import type { LabDriver } from '../lab/driver.js';
import type { SuiteFile } from './catalogue.js';

/** A lab driver of a run, and the suite files that wait for a lab of it. */
export class Venue {
  readonly driver: LabDriver;
  /** How many of its labs are used side by side. */
  readonly jobs: number;
  /** Resolves when its labs may be opened; undefined where they may be at once. */
  readonly ready: Promise<void> | undefined;
  /** Why what its labs cannot carry is not performed at the next venue; undefined while it is, and where there is none. */
  unhelped: string | undefined;
  readonly #waiting: SuiteFile[] = [];
  readonly #changes = new Changes();
  #complete = false;

  constructor(driver: LabDriver, jobs: number, ready?: Promise<void>) {
    this.driver = driver;
    this.jobs = jobs;
    this.ready = ready;
  }

  /** Adds suite files; those with the most experiments are performed first, so that labs are busy to the end. */
  add(files: readonly SuiteFile[]): void {
    this.#waiting.push(...files);
    this.#waiting.sort((a, b) => b.mocha.suite.total() - a.mocha.suite.total());
    this.#changes.notify();
  }

  /** Says that no more will be added. */
  complete(): void {
    this.#complete = true;
    this.#changes.notify();
  }

  /** Takes all files back that nobody has begun. */
  takeAll(): SuiteFile[] {
    return this.#waiting.splice(0);
  }

  /** The next file; undefined when there is none now. */
  next(): SuiteFile | undefined {
    return this.#waiting.shift();
  }

  /** How many files wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits until all that is to be performed here has been added; whether that is anything. It takes as long as the labs before. */
  async hasWork(): Promise<boolean> {
    await this.#changes.until(() => this.#complete || undefined, {
      what: `work for a ${this.driver.name} lab`,
      deadline: longestTimer,
    });
    return this.#waiting.length > 0;
  }
}

/** Milliseconds: the longest that a timer can wait (Node.js, timers). */
const longestTimer = 2 ** 31 - 1;
