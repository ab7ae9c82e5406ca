/**
 * A whole matrix in a separate process, which can be interrupted and killed, and whose workers are known. As a program,
 * it takes a description of the matrix; SIGINT interrupts it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MacvlabError } from '../../core/error.js';
import { Changes } from '../../core/wait.js';
import { identify, type ProcessIdentity } from '../../core/process-identity.js';
import { loadCatalogue, select } from '../../run/suite/catalogue.js';
import { keyOf, type Failure } from '../../run/record.js';
import { createMatrixFolder } from '../folder.js';
import { runMatrix, planMatrix } from './run-matrix.js';
import type { MatrixKernel } from '../record.js';

/** The matrix to run: a new one, or the folder of one to resume. */
export interface MatrixDescription {
  kernels: readonly MatrixKernel[];
  /** The first experiment of each runs. */
  filters: readonly string[];
  out: string;
}

/** The events of a listener; the first is the matrix's folder. */
export type MatrixEvent =
  | { kind: 'folder'; folder: string }
  | { kind: 'remark'; line: string }
  | { kind: 'kernelStarted'; kernel: string; total: number }
  | { kind: 'testEnded'; kernel: string; key: string; verdict: string }
  | { kind: 'kernelEnded'; kernel: string; failure?: Failure }
  | { kind: 'end' }
  | { kind: 'error'; code: string; message: string };

/** A running matrix. */
export class MatrixProcess {
  readonly events: MatrixEvent[] = [];
  readonly process: ChildProcess;
  readonly #changes = new Changes();
  readonly #ended: Promise<unknown>;

  constructor(what: MatrixDescription | string, jobs: number) {
    this.process = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify({ what, jobs })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.process, 'close').then(() => this.#changes.fail(new Error('the matrix has ended')));
    const { stdout } = this.process;
    if (!stdout) throw new TypeError('its output was to be read');
    createInterface(stdout).on('line', (line) => {
      this.events.push(JSON.parse(line) as MatrixEvent);
      this.#changes.notify();
    });
  }

  /** The matrix's folder. */
  get folder(): string {
    return this.of('folder')[0]?.folder ?? '';
  }

  of<K extends MatrixEvent['kind']>(kind: K): Extract<MatrixEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<MatrixEvent, { kind: K }> => event.kind === kind);
  }

  /** Waits for an event of a kernel. */
  async told(kind: MatrixEvent['kind'], kernel: string): Promise<void> {
    const isIt = (event: MatrixEvent) => event.kind === kind && 'kernel' in event && event.kernel === kernel;
    const look = () => this.events.some(isIt) || undefined;
    await this.#changes.until(look, { what: `${kind} of ${kernel}`, deadline: 120_000 });
  }

  /** Waits until it has ended. */
  async end(): Promise<this> {
    await this.#ended;
    return this;
  }
}

/** The current children of a process, and their descendants. */
export function descendantsOf(pid: number): (ProcessIdentity & { command: string })[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return children.flatMap((name) => {
    const identity = identify(Number(name));
    return [...(identity ? [{ ...identity, command: commandOf(name) }] : []), ...descendantsOf(Number(name))];
  });
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function print(event: MatrixEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(description: string): Promise<void> {
  const { what, jobs } = JSON.parse(description) as { what: MatrixDescription | string; jobs: number };
  const interruption = new AbortController();
  process.on('SIGINT', () =>
    interruption.abort(new MacvlabError('INTERRUPTED', 'interrupted by SIGINT', { next: 'run it again' })),
  );
  const folder = typeof what === 'string' ? what : await begin(what);
  print({ kind: 'folder', folder });
  await runMatrix(folder, {
    jobs,
    signal: interruption.signal,
    listener: {
      remark: (line) => print({ kind: 'remark', line }),
      kernelStarted: ({ name }, total) => print({ kind: 'kernelStarted', kernel: name, total }),
      testEnded: ({ name }, record) =>
        print({ kind: 'testEnded', kernel: name, key: keyOf(record), verdict: record.verdict }),
      kernelEnded: ({ name }, failure) => print({ kind: 'kernelEnded', kernel: name, ...(failure && { failure }) }),
      end: () => print({ kind: 'end' }),
    },
  });
}

async function begin({ kernels, filters, out }: MatrixDescription): Promise<string> {
  const catalogue = await loadCatalogue();
  const experiments = filters.map((filter) => select(catalogue, { filters: [filter] })[0]).filter((each) => !!each);
  return createMatrixFolder(out, planMatrix({ kernels, experiments, filters, arguments: [] }));
}

const [, program = '', description] = process.argv;
if (program === fileURLToPath(import.meta.url) && description !== undefined) {
  await main(description).catch((error: unknown) => {
    const { code, message } = error as MacvlabError;
    print({ kind: 'error', code, message });
  });
  process.exit();
}
