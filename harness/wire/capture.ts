/** A tcpdump session: what it writes is decoded while it streams, and kept raw as evidence. */
import { MacvlabError, messageOf } from '../core/error.js';
import { Changes } from '../core/wait.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { RemoteProcess } from '../remote/process.js';
import type { Session } from '../remote/session.js';
import { type Frame, translateAddresses } from './frame.js';
import { PcapReader } from './pcap-reader.js';

export type Direction = 'in' | 'out';

/** A frame, where it was seen and when it reached us. */
export interface Sighting {
  frame: Frame;
  /** The capture's name: "switch/node1 in". */
  at: string;
  /** Position among all frames of all captures, in the order in which they were decoded. */
  order: number;
  /** Microseconds by which the frame's time may be off, either way: by our clock it is known only that well. */
  timeError: number;
}

/** tcpdump's own counters (pcap_stats(3)). */
export interface CaptureCounters {
  /** Frames that tcpdump has written. */
  captured: number;
  /** Frames that the kernel handed to its socket, those of the other direction included. */
  received: number;
  /** Frames that the kernel dropped for want of buffer. */
  dropped: number;
}

export interface CaptureOptions {
  name: string;
  stack: NetworkStack;
  device: string;
  /** Only frames that come in or go out at the device; both without it. */
  direction?: Direction;
  /** Promiscuous capture changes what is delivered, so that it is off unless an experiment asks for it. */
  promiscuous?: boolean;
  /** What is captured at all, as pcap-filter(7) has it: needed where the interface carries the session that tells of its frames. */
  filter?: string;
}

/** Bytes of each frame that are kept: all headers, and the first bytes of any payload. */
const snapLength = 2048;
/** KiB of tcpdump's ring: 512 full-sized frames, which starts quicker than the default of 2 MiB. */
const ringSize = 1024;

/** Characters of tcpdump's words that are kept: it tells its counters whenever it is asked. */
const mostWords = 16_384;

let decoded = 0;

/** The order that the next frame of any capture will get. */
export function nextOrder(): number {
  return decoded;
}

/** An open capture. */
export class Capture {
  readonly name: string;
  readonly changes = new Changes();
  readonly #session: Session;
  readonly #process: RemoteProcess;
  #sightings: Sighting[] = [];
  #records: Buffer[] = [];
  #header: Buffer | undefined;
  /** The last that tcpdump has said, and how many characters it has said in all. */
  #words = '';
  #said = 0;
  #closing = false;
  #knownDrops = 0;
  #counters: CaptureCounters | undefined;
  #failure: MacvlabError | undefined;

  private constructor(options: CaptureOptions, process: RemoteProcess) {
    this.name = options.name;
    this.#session = options.stack.session;
    this.#process = process;
    const reader = new PcapReader((bytes) => this.#keep(bytes));
    process.stdout.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-mostWords);
      this.#said += text.length;
      this.changes.notify();
    });
    process.ended.then(
      ({ status, signal }) => this.#end(`tcpdump ended with ${signal ?? `status ${status}`}`),
      (error: unknown) => this.#end(messageOf(error)),
    );
  }

  /**
   * Starts tcpdump and waits until it says that it listens.
   * @throws MacvlabError CAPTURE_START with tcpdump's words
   */
  static async open(options: CaptureOptions): Promise<Capture> {
    const argv = [
      ...[
        'tcpdump',
        '-n',
        '-U',
        '--immediate-mode',
        '-i',
        options.device,
        '-s',
        String(snapLength),
        '-B',
        String(ringSize),
      ],
      ...(options.promiscuous ? [] : ['-p']),
      ...(options.direction ? ['-Q', options.direction] : []),
      // Root writes to a pipe: there is no file whose owner would matter, and no user "tcpdump" in a bare machine.
      ...['-Z', 'root', '-w', '-'],
      ...(options.filter === undefined ? [] : [options.filter]),
    ];
    const capture = new Capture(options, await options.stack.start(argv, 'capture'));
    try {
      await capture.changes.until(() => /listening on/.test(capture.#words) || undefined, {
        what: `tcpdump on ${options.name} to listen`,
        deadline: capture.patience(10_000),
        signal: options.stack.session.death,
      });
    } catch (error) {
      capture.#closing = true;
      if (!options.stack.session.death.aborted) await options.stack.session.signal('KILL', [capture.#process]);
      throw new MacvlabError('CAPTURE_START', `tcpdump does not listen on ${options.name}: ${messageOf(error)}`, {
        evidence: capture.#words,
        next: 'check that the interface exists and is up, and that this user may capture',
        cause: error,
      });
    }
    return capture;
  }

  /** The deadline in milliseconds for something to be seen here; see {@link Session.patience}. */
  patience(milliseconds: number): number {
    return this.#session.patience(milliseconds);
  }

  /** Frames decoded so far, with their times by our own clock, since the last `forget`. @throws MacvlabError CAPTURE_ENDED when tcpdump has died */
  get sightings(): readonly Sighting[] {
    if (this.#failure) throw this.#failure;
    return this.#sightings;
  }

  /** The counters that tcpdump has told since the last `forget`. */
  get lastCounters(): CaptureCounters | undefined {
    return this.#counters;
  }

  /** Lets go of all frames so far, so that memory stays bounded by one test. */
  forget(): void {
    this.#sightings = [];
    this.#records = [];
    this.#counters = undefined;
  }

  /** The frames since the last `forget` as a pcap file; undefined when there are none. */
  pcap(): Buffer | undefined {
    if (!this.#header || this.#records.length === 0) return undefined;
    return Buffer.concat([this.#header, ...this.#records]);
  }

  /**
   * Asks tcpdump for its counters, which SIGUSR1 makes it print (tcpdump(8)).
   * @throws MacvlabError CAPTURE_ENDED
   */
  async counters(): Promise<CaptureCounters> {
    const before = this.#said;
    await this.#session.signal('USR1', [this.#process]);
    this.#counters = await this.changes.until(() => parseCounters(this.#wordsSince(before)), {
      what: `the counters of tcpdump on ${this.name}`,
      deadline: this.patience(10_000),
      evidence: () => this.#words,
    });
    return this.#counters;
  }

  /** What tcpdump has said since it had said so many characters. */
  #wordsSince(said: number): string {
    return this.#said === said ? '' : this.#words.slice(said - this.#said);
  }

  /** @throws MacvlabError CAPTURE_DROPPED when frames were dropped since the last time somebody asked */
  async refuseDrops(): Promise<void> {
    const { dropped } = await this.counters();
    const since = this.#knownDrops;
    this.#knownDrops = dropped;
    if (dropped === since) return;
    throw new MacvlabError('CAPTURE_DROPPED', `tcpdump on ${this.name} lost ${dropped - since} frames`, {
      evidence: this.#words,
      next: 'repeat the experiment on a machine that is less busy: a frame missing here proves nothing',
    });
  }

  /** Tells tcpdump to end, which it does on its own time: nobody waits for it, or for its interface; idempotent. */
  close(): void {
    if (this.#closing || this.#failure) return;
    this.#closing = true;
    // What was seen stays seen; but nothing more will be, and nobody need wait for it.
    this.changes.fail(
      new MacvlabError('CAPTURE_ENDED', `the capture on ${this.name} was closed`, {
        next: 'ask a capture before it is closed',
      }),
    );
    // A session that is gone has taken its tcpdump with it.
    this.#session.signal('INT', [this.#process]).catch(() => undefined);
  }

  #read(reader: PcapReader, chunk: Buffer): void {
    try {
      const { clock, translation } = this.#session;
      const { ahead, error: timeError } = clock;
      for (const frame of reader.push(chunk)) {
        if (ahead !== 0) frame.time -= ahead;
        if (translation) translateAddresses(frame, (address) => translation.received(address));
        this.#sightings.push({ frame, at: this.name, order: decoded++, timeError });
      }
    } catch (error) {
      this.#end(messageOf(error));
    }
    this.changes.notify();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#header) this.#records.push(Buffer.from(bytes));
    else this.#header = Buffer.from(bytes);
  }

  #end(why: string): void {
    if (this.#closing || this.#failure) return;
    this.#failure = new MacvlabError('CAPTURE_ENDED', `the capture on ${this.name} ended: ${why}`, {
      evidence: this.#words,
      next: 'find out what took the interface or tcpdump away; the experiment has to be repeated',
    });
    this.changes.fail(this.#failure);
  }
}

/** Counters in what tcpdump prints, on one line or on three; undefined until all three are there. */
export function parseCounters(words: string): CaptureCounters | undefined {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(words)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  // A number is looked for once, and not at each of its digits: there is no end of what a program may print.
  const captured = number(/(?<!\d)(\d{1,15}) packets? captured/);
  const received = number(/(?<!\d)(\d{1,15}) packets? received by filter/);
  const dropped = number(/(?<!\d)(\d{1,15}) packets? dropped by kernel/);
  if (captured === undefined || received === undefined || dropped === undefined) return undefined;
  return { captured, received, dropped };
}
