/** Reads a pcap while it grows: from byte chunks of any size to decoded frames. */
import { uint32 } from '../protocol/bytes.js';
import { decodeFrame } from '../protocol/decode.js';
import type { Frame } from '../protocol/frame.js';
import { PcapError, headerLength, largestSnapLength, recordHeaderLength } from './pcap-format.js';
import { readPcapHeader } from './pcap-header.js';
import type { PcapHeader } from './pcap-header.js';

/** The largest accepted frame, in bytes; a longer one means a damaged file. The margin is for writers that count more than the frame. */
const largestRecord = largestSnapLength + 4096;

/** One pcap stream. It holds at most one incomplete record, for any length of the stream. */
export class PcapReader {
  #header: PcapHeader | undefined;
  /** The beginning of an incomplete piece (header or record), in the first `#held` bytes. */
  #holding = new Uint8Array(4096);
  #held = 0;
  #records = 0;
  #damage: PcapError | undefined;
  readonly #onPiece: ((bytes: Uint8Array) => void) | undefined;

  /** @param onPiece receives the file's header and then each record as in the file; the bytes are valid only during the call */
  constructor(onPiece?: (bytes: Uint8Array) => void) {
    this.#onPiece = onPiece;
  }

  /** Undefined until the file's header has arrived. */
  get header(): PcapHeader | undefined {
    return this.#header;
  }

  /**
   * Reads the next bytes of the stream and returns the frames that they complete. The bytes may be reused after that.
   * @throws PcapError when the stream is not a pcap or is damaged. Frames before the damage are returned first; the
   *   next call, of `push` or `end`, then throws the error.
   */
  push(chunk: Uint8Array): Frame[] {
    if (this.#damage) throw this.#damage;
    const frames: Frame[] = [];
    try {
      const at = this.#held > 0 ? this.#completeHeld(chunk, frames) : 0;
      this.#hold(chunk, this.#take(chunk, at, chunk.length, frames));
    } catch (error) {
      if (!(error instanceof PcapError)) throw error;
      this.#damage = error;
      if (frames.length === 0) throw error;
    }
    return frames;
  }

  /**
   * Marks the end of the stream.
   * @throws PcapError when it has ended too early: before the header's or within a record's last byte
   */
  end(): void {
    if (this.#damage) throw this.#damage;
    if (!this.#header) throw new PcapError(`a pcap header of ${headerLength} bytes expected, ${this.#held} arrived`);
    if (this.#held > 0) throw new PcapError(`the file ends within record ${this.#records + 1}`);
  }

  /** Reads all complete pieces between these places, and returns where the first incomplete one begins. */
  #take(bytes: Uint8Array, start: number, end: number, frames: Frame[]): number {
    let at = start;
    for (;;) {
      const length = this.#pieceLength(bytes, at, end);
      if (length > end - at) return at;
      if (this.#header) frames.push(this.#decode(this.#header, bytes, at, at + length));
      else this.#header = readPcapHeader(new DataView(bytes.buffer, bytes.byteOffset + at, headerLength));
      this.#onPiece?.(bytes.subarray(at, at + length));
      at += length;
    }
  }

  /** Bytes of the piece that begins here, as far as they are known: of a record, at first only its header's. */
  #pieceLength(bytes: Uint8Array, at: number, end: number): number {
    if (!this.#header) return headerLength;
    if (end - at < recordHeaderLength) return recordHeaderLength;
    const length = field(bytes, at + 8, this.#header.bigEndian);
    if (length > largestRecord) {
      throw new PcapError(`record ${this.#records + 1} is damaged: it states ${length} bytes`);
    }
    return recordHeaderLength + length;
  }

  #decode({ bigEndian, nanoseconds }: PcapHeader, bytes: Uint8Array, at: number, end: number): Frame {
    this.#records++;
    const fraction = field(bytes, at + 4, bigEndian);
    const time = field(bytes, at, bigEndian) * 1e6 + (nanoseconds ? fraction / 1000 : fraction);
    return decodeFrame(bytes, time, field(bytes, at + 12, bigEndian), at + recordHeaderLength, end);
  }

  /** Completes the held piece from the chunk; returns the number of bytes that it used. */
  #completeHeld(chunk: Uint8Array, frames: Frame[]): number {
    let used = 0;
    while (used < chunk.length) {
      const length = this.#pieceLength(this.#holding, 0, this.#held);
      const portion = chunk.subarray(used, used + length - this.#held);
      this.#hold(portion, 0);
      used += portion.length;
      // A record's header contains the record's length. The piece is complete when the rest has arrived.
      if (this.#take(this.#holding, 0, this.#held, frames) > 0) {
        this.#held = 0;
        break;
      }
    }
    return used;
  }

  /** Adds the chunk's bytes from this place on to the held piece. */
  #hold(chunk: Uint8Array, from: number): void {
    const length = this.#held + chunk.length - from;
    if (length > this.#holding.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#holding.length));
      larger.set(this.#holding.subarray(0, this.#held));
      this.#holding = larger;
    }
    this.#holding.set(from > 0 ? chunk.subarray(from) : chunk, this.#held);
    this.#held = length;
  }
}

function field(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  if (bigEndian) return uint32(bytes, at);
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return low + (bytes[at + 3] ?? 0) * 0x1000000;
}
