/**
 * The backends of a run: where experiments can run. They are ordered from the cheapest to the most capable lab. Each
 * suite file goes to the first backend that can carry it. Each backend tries the needed features in its lab.
 */
import { Changes } from '../core/wait.js';
import type { LabDriver } from '../machine/driver.js';
import type { SuiteFile } from './suite/catalogue.js';

/** A lab driver of a run, and the suite files that wait for one of its labs. */
export class Backend {
  readonly driver: LabDriver;
  /** How many of its labs run side by side. */
  readonly jobs: number;
  /** Resolves when its labs may be opened; undefined if they may be opened at once. */
  readonly ready: Promise<void> | undefined;
  /** Why the next backend does not run what these labs cannot carry. Undefined if it does, or if there is none. */
  noFallbackReason: string | undefined;
  readonly #waiting: SuiteFile[] = [];
  readonly #changes = new Changes();
  #complete = false;

  constructor(driver: LabDriver, jobs: number, ready?: Promise<void>) {
    this.driver = driver;
    this.jobs = jobs;
    this.ready = ready;
  }

  /** Adds suite files. Those with the most experiments run first, so that all labs are busy to the end. */
  add(files: readonly SuiteFile[]): void {
    this.#waiting.push(...files);
    this.#waiting.sort((a, b) => b.experiments.length - a.experiments.length);
    this.#changes.notify();
  }

  /** Declares that no more files will be added. */
  complete(): void {
    this.#complete = true;
    this.#changes.notify();
  }

  /** Removes and returns all files that have not begun. */
  takeAll(): SuiteFile[] {
    return this.#waiting.splice(0);
  }

  /** Removes and returns the next file; undefined if there is none now. */
  next(): SuiteFile | undefined {
    return this.#waiting.shift();
  }

  /** How many files wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits until all files for this backend have been added. Returns whether there are any. It takes as long as the labs before it. */
  async hasWork(): Promise<boolean> {
    await this.#changes.until(() => this.#complete || undefined, {
      what: `work for a ${this.driver.name} lab`,
      deadline: longestTimer,
    });
    return this.#waiting.length > 0;
  }
}

/** Milliseconds: the longest delay of a timer (Node.js, timers). */
const longestTimer = 2 ** 31 - 1;
