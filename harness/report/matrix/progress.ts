/** The progress of a matrix: a line for each kernel that has ended, and on a terminal the state of the others. */
import pc from 'picocolors';
import type { MatrixListener } from '../../matrix/run/run-matrix.js';
import type { MatrixKernel } from '../../matrix/record.js';
import type { Failure, TestRecord } from '../../run/record.js';
import { summaryLine } from '../run/outcome.js';
import { StatusLine, type Output } from '../status-line.js';
import { verdictWord } from '../run/terminal.js';
import { duration, oneLine } from '../text.js';

interface Going {
  total: number;
  began: number;
  records: TestRecord[];
}

export class MatrixProgress implements MatrixListener {
  readonly #line: StatusLine;
  readonly #colours: ReturnType<typeof pc.createColors>;
  readonly #going = new Map<string, Going>();

  constructor(out: Output, colour: boolean) {
    this.#line = new StatusLine(out);
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
    if (verdict !== 'failed' && verdict !== 'error') this.#line.show(this.#status());
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
    this.#line.show('');
  }

  #say(line: string): void {
    this.#line.print(line, this.#status());
  }

  #status(): string {
    return [...this.#going].map(([name, { records, total }]) => `${name} ${records.length}/${total}`).join(' · ');
  }
}
