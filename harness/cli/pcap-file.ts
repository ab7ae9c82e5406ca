/** A pcap file that grows while frames are captured; "-" is standard output. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { MacvlabError, messageOf } from '../core/error.js';
import type { Sighting } from '../wire/capture.js';
import { headerLength, recordHeaderLength } from '../wire/pcap-format.js';
import { pcapHeader } from '../wire/pcap-writer.js';

export class PcapFile implements Disposable {
  readonly #path: string;
  readonly #file: number | undefined;
  #begun = false;

  /** Begins the file anew. @throws MacvlabError OUT_NOT_WRITABLE */
  constructor(path: string) {
    this.#path = path;
    this.#file = path === '-' ? undefined : this.#writing(() => openSync(path, 'w'));
  }

  /**
   * Adds frames.
   * @param pcap a whole pcap file; undefined when there are no frames
   * @param frames those of its frames, from the first, that are to be added
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  add(pcap: Buffer | undefined, frames: readonly Sighting[]): void {
    if (!pcap) return;
    const length = frames.reduce((sum, { frame }) => sum + recordHeaderLength + frame.captured, 0);
    this.#begin(pcap.subarray(0, headerLength));
    this.#write(pcap.subarray(headerLength, headerLength + length));
  }

  /** Closes the file; one without frames has a header all the same, so that it can be opened. */
  [Symbol.dispose](): void {
    this.#begin(pcapHeader());
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #begin(header: Uint8Array): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#write(header);
  }

  #write(bytes: Uint8Array): void {
    const file = this.#file;
    // What standard output does not take is told at the end, as with every command.
    if (file === undefined) process.stdout.write(bytes);
    else this.#writing(() => writeFileSync(file, bytes));
  }

  #writing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new MacvlabError('OUT_NOT_WRITABLE', `${this.#path} cannot be written: ${messageOf(error)}`, {
        next: 'choose a file that you may write with --write',
        cause: error,
      });
    }
  }
}
