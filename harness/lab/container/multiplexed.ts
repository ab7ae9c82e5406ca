/**
 * Both outputs of a command over one connection, as docker's engine sends them: each piece behind a header of eight bytes, the
 * first of which tells the output and the last four the length (Docker Engine API, ContainerAttach, "Stream format").
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const headerLength = 8;
const standardError = 2;

/** A command's standard input and output as one stream; its standard error is kept as its last words. */
export class Multiplexed extends Duplex {
  readonly #socket: Socket;
  readonly #kept: number;
  #words = '';
  #pending: Buffer = Buffer.alloc(0);

  /** @param kept how much of the standard error is kept, in characters */
  constructor(socket: Socket, kept = 4096) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#kept = kept;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** What the command has said on its standard error. */
  get words(): string {
    return this.#words;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #read(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= headerLength) {
      const end = headerLength + this.#pending.readUInt32BE(4);
      if (this.#pending.length < end) return;
      const piece = this.#pending.subarray(headerLength, end);
      const toError = this.#pending[0] === standardError;
      this.#pending = this.#pending.subarray(end);
      if (toError) this.#words = (this.#words + piece.toString()).slice(-this.#kept);
      else if (!this.push(piece)) this.#socket.pause();
    }
  }
}
