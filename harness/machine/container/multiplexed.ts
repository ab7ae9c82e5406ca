/**
 * Both outputs of a command over one connection, in the format of docker's engine. Each piece follows a header of eight
 * bytes: the first byte is the number of the output, the last four are the length (Docker Engine API, ContainerAttach,
 * "Stream format").
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const headerLength = 8;
const standardError = 2;

/** A command's standard input and output as one stream. The end of its standard error is kept. */
export class Multiplexed extends Duplex {
  readonly #socket: Socket;
  readonly #kept: number;
  #words = '';
  readonly #decoder = new StringDecoder();
  /** A header, of which `#held` bytes have arrived. */
  readonly #header = Buffer.alloc(headerLength);
  #held = 0;
  /** Bytes of the current piece that have not arrived yet. Pieces are not stored, so their length does not matter. */
  #left = 0;

  /** @param kept the number of characters of the standard error that are kept */
  constructor(socket: Socket, kept = 4096) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#kept = kept;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** The end of the command's standard error. */
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
