/**
 * One display for all tasks of the set-up. On a terminal, it has a line for each task, updated in place. Elsewhere, it
 * prints a line when a task begins, at each quarter of a download, and when a task ends.
 */
import { write } from './report.mjs';

/** Milliseconds between two drawings on a terminal. */
const interval = 200;

/** Lines of a failed task's output that are shown. */
const tail = 40;

const megabyte = 1e6;

export class Progress {
  /** @type {Task[]} */
  #tasks = [];
  /** How many lines of the last drawing are above the cursor. */
  #drawn = 0;
  /** When the last drawing was made. */
  #at = 0;
  #inPlace;

  /** @param {{ inPlace?: boolean }} [options] inPlace: whether lines are updated in place, as on a terminal */
  constructor({ inPlace = process.stderr.isTTY && process.env['TERM'] !== 'dumb' } = {}) {
    this.#inPlace = inPlace;
  }

  /**
   * Adds a task.
   * @param {string} name
   */
  task(name) {
    const task = new Task(name, (event) => this.#changed(task, event));
    this.#tasks.push(task);
    return task;
  }

  /** From now on, only adds lines: another program writes to the terminal. */
  onlyAdd() {
    this.#draw();
    this.#inPlace = false;
  }

  /**
   * @param {Task} task
   * @param {string | undefined} event text for a line of its own
   */
  #changed(task, event) {
    if (!this.#inPlace) {
      if (event !== undefined) write(`macvlab: ${task.name}: ${event}\n`);
    } else if (event !== undefined || Date.now() - this.#at > interval) {
      this.#draw();
    }
  }

  #draw() {
    if (!this.#inPlace) return;
    this.#at = Date.now();
    const begun = this.#tasks.filter(({ begun }) => begun !== undefined);
    const width = Math.max(...begun.map(({ name }) => name.length));
    const columns = process.stderr.columns - 1;
    const lines = begun.map((task) => `macvlab: ${task.name.padEnd(width)}  ${task.state}`.slice(0, columns));
    write(`${this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''}${lines.map((line) => `${line}\u001b[K\n`).join('')}`);
    this.#drawn = lines.length;
  }
}

/** One task of the set-up. */
export class Task {
  /** When it began, in milliseconds since 1970; undefined before that. @type {number | undefined} */
  begun;
  /** Bytes to download; 0 without a download. */
  total = 0;
  /** The downloaded part of them, 0 to 1. */
  part = 0;
  /** When the download began. */
  #downloading = 0;
  #words = 'begins';
  /** @type {string[]} */
  #output = [];
  #changed;

  /**
   * @param {string} name
   * @param {(event?: string) => void} changed
   */
  constructor(name, changed) {
    this.name = name;
    this.#changed = changed;
  }

  /** The current activity, with size, rate and remaining time of a download. */
  get state() {
    if (this.total === 0 || this.part === 0 || this.part >= 1) return this.#words;
    const seconds = Math.max((Date.now() - this.#downloading) / 1000, 0.1);
    const done = this.total * this.part;
    const rate = `${(done / megabyte / seconds).toFixed(1)} MB/s`;
    const left = `${Math.ceil((seconds / this.part) * (1 - this.part))} s left`;
    return `${(done / megabyte).toFixed(0)} of ${(this.total / megabyte).toFixed(0)} MB, ${rate}, ${left}`;
  }

  /**
   * Shows the current activity.
   * @param {string} words
   */
  says(words) {
    this.begun ??= Date.now();
    this.#words = words;
    this.total = 0;
    this.part = 0;
    this.#changed(words);
  }

  /**
   * Begins a download.
   * @param {string} words
   * @param {number} total bytes
   */
  downloads(words, total) {
    this.says(words);
    this.total = total;
    this.#downloading = Date.now();
  }

  /**
   * Updates the progress of a download.
   * @param {number} part the downloaded part, 0 to 1
   */
  reaches(part) {
    if (part <= this.part) return;
    const quarter = Math.floor(part * 4) > Math.floor(this.part * 4) && part < 1;
    this.part = part;
    this.#changed(quarter ? this.state : undefined);
  }

  /**
   * Keeps a line of the task's output, to show it after a failure.
   * @param {string} line
   */
  prints(line) {
    this.#output = [...this.#output.slice(1 - tail), line];
    this.#changed();
  }

  /** Ends the task as a success. */
  ends() {
    if (this.begun === undefined) return;
    this.says(`done in ${Math.round((Date.now() - this.begun) / 1000)} s`);
  }

  /**
   * Ends the task as a failure, and shows its last output.
   * @param {string} failure in a few words
   */
  fails(failure) {
    this.says(`failed: ${failure}`);
    write(this.#output.map((line) => `  ${line}\n`).join(''));
    this.#output = [];
  }
}
