/** Where a command writes frames while they arrive: a file, a FIFO or standard output. */
import { closeSync, constants, createWriteStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { MacvlabError, messageOf } from '../core/error.js';
import { poll } from '../core/wait.js';
import { notice } from './output.js';

/** Bytes that may wait for a slow reader. */
const mostWaiting = 2 ** 26;
/** Milliseconds to wait for a program that reads a FIFO. */
const readerDeadline = 600_000;

/** An output whose reader may go away: then nothing more is written, and that is not an error. */
export class CaptureOutput {
  readonly #stream: Writable;
  readonly #path: string;
  readonly #closed = new AbortController();
  #failure: MacvlabError | undefined;

  private constructor(stream: Writable, path: string) {
    this.#stream = stream;
    this.#path = path;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.#failure ??= notWritable(path, error);
      this.#closed.abort();
    });
  }

  /**
   * Opens an output. A FIFO is opened when a program reads it.
   * @param path "-" is standard output
   * @param option the option that names it, for errors
   * @throws MacvlabError OUT_NOT_WRITABLE; USAGE if standard output is a terminal; WAIT_DEADLINE if no program reads the FIFO
   */
  static async open(path: string, option: string, signal?: AbortSignal): Promise<CaptureOutput> {
    if (path === '-') {
      if (!process.stdout.isTTY) return new CaptureOutput(process.stdout, 'standard output');
      throw new MacvlabError('USAGE', `${option} - writes binary data, and standard output is a terminal`, {
        next: 'pipe it into a program: … | wireshark -k -i -',
      });
    }
    if (isFifo(path)) return new CaptureOutput(new Socket({ fd: await openFifo(path, signal), readable: false }), path);
    try {
      return new CaptureOutput(createWriteStream('', { fd: openSync(path, 'w') }), path);
    } catch (error) {
      throw notWritable(path, error, option);
    }
  }

  /** Aborts when the reader has gone, or the output cannot be written. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Writes at once, if the output is not closed. */
  write(bytes: Uint8Array): void {
    if (this.#closed.signal.aborted) return;
    this.#stream.write(bytes);
    if (this.#stream.writableLength < mostWaiting) return;
    notice(`${this.#path} gets no more frames: its reader has left ${mostWaiting / 2 ** 20} MiB unread`);
    this.#closed.abort();
  }

  /** Ends the output when all is written. @throws MacvlabError OUT_NOT_WRITABLE if not all could be written */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream !== process.stdout && !stream.destroyed) {
      if (this.#closed.signal.aborted) stream.destroy();
      else await new Promise<void>((resolve) => void stream.once('close', resolve).end());
    }
    if (this.#failure) throw this.#failure;
  }
}

function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

/** Opens a FIFO without blocking this process: without a reader, open(2) fails with ENXIO (fifo(7)). */
async function openFifo(path: string, signal?: AbortSignal): Promise<number> {
  let fd: number | undefined;
  const attempt = () => {
    try {
      fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw notWritable(path, error);
    }
    return Promise.resolve(fd);
  };
  if ((await attempt()) === undefined) {
    notice(`waiting for a program that reads ${path}: wireshark -k -i ${path}`);
    await poll(attempt, {
      what: `a program to read ${path}`,
      deadline: readerDeadline,
      ...(signal && { signal }),
    });
  }
  if (signal?.aborted && fd !== undefined) closeSync(fd);
  signal?.throwIfAborted();
  return fd ?? -1;
}

function notWritable(path: string, error: unknown, option = 'the option'): MacvlabError {
  return new MacvlabError('OUT_NOT_WRITABLE', `${path} cannot be written: ${messageOf(error)}`, {
    next: `choose a file that you may write with ${option}`,
    cause: error,
  });
}
