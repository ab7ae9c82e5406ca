/** A status line at the bottom of a terminal that overwrites itself, with permanent lines above it. */
import type { Writable } from 'node:stream';
import { oneLine } from './text.js';
import { cut } from './width.js';

/** A stream that may be a terminal: `process.stdout`, or a stream of a test. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** Carriage return and erase-to-end-of-line (ECMA-48 8.3.41 "EL"). */
const eraseLine = '\r\u001b[K';

/** On an output that is not a terminal, there is no status, only the lines. */
export class StatusLine {
  readonly #out: Output;
  #status = '';

  constructor(out: Output) {
    this.#out = out;
  }

  /** Prints lines above the status, and shows a new status if one is given. */
  print(lines: string, status = this.#status): void {
    this.#out.write(`${this.#status === '' ? '' : eraseLine}${lines}\n`);
    this.#status = '';
    this.show(status);
  }

  /** Shows a new status; an empty one clears the line. */
  show(status: string): void {
    if (!this.#out.isTTY || (status === '' && this.#status === '')) return;
    this.#status = oneLine(status);
    this.#draw();
  }

  /** One column stays free: a full line may wrap, and a wrapped line cannot be erased this way. */
  #draw(): void {
    this.#out.write(eraseLine + cut(this.#status, (this.#out.columns || 80) - 1));
  }
}
