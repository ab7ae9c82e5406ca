/** What a matrix shows while it is going on: a line for each kernel that has ended, and on a terminal how far the others are. */
import pc from 'picocolors';
import type { MatrixListener } from '../matrix/perform-matrix.js';
import type { MatrixKernel } from '../matrix/record.js';
import type { Failure, TestRecord } from '../run/record.js';
import { summaryLine } from './outcome.js';
import type { Output } from './progress.js';
import { verdictWord } from './terminal.js';
import { cut, duration, oneLine } from './text.js';

interface Going {
  total: number;
  began: number;
  records: TestRecord[];
}

const eraseLine = '\r\u001b[K';

export class MatrixProgress implements MatrixListener {
  readonly #out: Output;
  readonly #colours: ReturnType<typeof pc.createColors>;
  readonly #going = new Map<string, Going>();

  constructor(out: Output, colour: boolean) {
    this.#out = out;
    this.#colours = pc.createColors(colour);
  }

  remark(line: string): void {
    this.#say(oneLine(line));
  }

  kernelStarted({ name, release }: MatrixKernel, total: number): void {
    this.#going.set(name, { total, began: performance.now(), records: [] });
    this.#say(oneLine(`${name}: ${total} ${total === 1 ? 'experiment' : 'experiments'} on ${release}`));
  }

  testEnded({ name }: MatrixKernel, record: TestRecord): void {
    this.#going.get(name)?.records.push(record);
    const { verdict, failure, reason } = record;
    if (verdict !== 'failed' && verdict !== 'error') this.#draw();
    else {
      const why = reason ?? failure?.message;
      const what = oneLine(`${record.id} ${record.title}${why === undefined ? '' : `: ${why}`}`);
      this.#say(`${oneLine(name)}: ${verdictWord(verdict, this.#colours)} ${what}`);
    }
  }

  kernelEnded({ name }: MatrixKernel, failure: Failure | undefined): void {
    const { records = [], began = 0, total = 0 } = this.#going.get(name) ?? {};
    this.#going.delete(name);
    const time = duration(performance.now() - began);
    const left = total - records.length;
    const open = left > 0 ? `, ${left} not performed` : '';
    if (failure) this.#say(`${oneLine(name)}: ${verdictWord('error', this.#colours)} ${oneLine(failure.message)}`);
    this.#say(`${oneLine(name)}: ${summaryLine(records)}${open} (${time})`);
  }

  end(): void {
    if (this.#out.isTTY) this.#out.write(eraseLine);
  }

  #say(line: string): void {
    this.#out.write(`${this.#out.isTTY ? eraseLine : ''}${line}\n`);
    this.#draw();
  }

  /** One column stays free: a line that fills a terminal may wrap, and a wrapped line cannot be erased this way. */
  #draw(): void {
    if (!this.#out.isTTY) return;
    const parts = [...this.#going].map(([name, { records, total }]) => `${name} ${records.length}/${total}`);
    this.#out.write(eraseLine + cut(oneLine(parts.join(' · ')), (this.#out.columns || 80) - 1));
  }
}
