/**
 * Both outputs of a command over one connection, as docker's engine sends them: each piece behind a header of eight bytes, the
 * first of which tells the output and the last four the length (Docker Engine API, ContainerAttach, "Stream format").
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const headerLength = 8;
const standardError = 2;

/** A command's standard input and output as one stream; its standard error is kept as its last words. */
export class Multiplexed extends Duplex {
  readonly #socket: Socket;
  readonly #kept: number;
  #words = '';
  readonly #decoder = new StringDecoder();
  /** A header, of which `#held` bytes have arrived. */
  readonly #header = Buffer.alloc(headerLength);
  #held = 0;
  /** Bytes of the piece behind the header that are yet to come; a piece is never kept, however long it says it is. */
  #left = 0;

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
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        const taken = chunk.copy(this.#header, this.#held, at);
        this.#held += taken;
        at += taken;
        if (this.#held < headerLength) return;
        this.#held = 0;
        this.#left = this.#header.readUInt32BE(4);
      } else {
        const part = chunk.subarray(at, at + this.#left);
        this.#left -= part.length;
        at += part.length;
        this.#deliver(part);
      }
    }
  }

  #deliver(part: Buffer): void {
    if (this.#header[0] === standardError) {
      this.#words = (this.#words + this.#decoder.write(part)).slice(-this.#kept);
    } else if (!this.push(part)) this.#socket.pause();
  }
}
