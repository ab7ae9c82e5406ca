/** A tcpdump session: its output is decoded while it arrives, and stored raw as evidence. */
import { MacvlabError, messageOf } from '../core/error.js';
import { Changes } from '../core/wait.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { RemoteProcess } from '../remote/process.js';
import type { Session } from '../remote/session.js';
import { type Frame, translateAddresses } from './protocol/frame.js';
import { recordHeaderLength } from './pcap/pcap-format.js';
import { PcapReader } from './pcap/pcap-reader.js';

export type Direction = 'in' | 'out';

/** A frame, where it was captured and when it arrived here. */
export interface Sighting {
  frame: Frame;
  /** The capture's name: "switch/node1 in". */
  at: string;
  /** Position among all frames of all captures, in the order in which they were decoded. */
  order: number;
  /** Microseconds by which the frame's time may be wrong, in either direction: the accuracy of its conversion to the local clock. */
  timeError: number;
}

/** A frame as it was stored: its sighting, and its bytes as they were on the wire. */
export interface CapturedFrame {
  sighting: Sighting;
  bytes: Uint8Array;
}

/** Receives each frame of each capture of this process when it is decoded. It must not throw. */
export type CaptureFollower = (captured: CapturedFrame, capture: Capture) => void;

const followers = new Set<CaptureFollower>();

/** Adds a follower. @returns a function that removes it */
export function followCaptures(follower: CaptureFollower): () => void {
  followers.add(follower);
  return () => void followers.delete(follower);
}

/** tcpdump's own counters (pcap_stats(3)). */
export interface CaptureCounters {
  /** Frames that tcpdump has written. */
  captured: number;
  /** Frames that the kernel handed to its socket, those of the other direction included. */
  received: number;
  /** Frames that the kernel dropped because its buffer was full. */
  dropped: number;
}

export interface CaptureOptions {
  name: string;
  stack: NetworkStack;
  device: string;
  /** Only frames that come in or go out at the device; both without it. */
  direction?: Direction;
  /** Promiscuous capture changes what is delivered, so that it is off unless an experiment requests it. */
  promiscuous?: boolean;
  /** The frames to capture, in the syntax of pcap-filter(7). Needed where the interface also carries the capture's own session. */
  filter?: string;
}

/** Stored bytes of each frame: all headers, and the first bytes of any payload. */
const snapLength = 2048;
/** KiB of tcpdump's ring: 512 full-sized frames. It starts faster than the default of 2 MiB. */
const ringSize = 1024;

/** Stored characters of tcpdump's messages: it prints its counters at each request. */
const mostWords = 16_384;

let decoded = 0;

/** The order that the next frame of any capture will get. */
export function nextOrder(): number {
  return decoded;
}

/** An open capture. */
export class Capture {
  readonly name: string;
  /** Where it captures, and what. */
  readonly place: Pick<CaptureOptions, 'stack' | 'device' | 'direction' | 'filter'>;
  readonly changes = new Changes();
  readonly #session: Session;
  readonly #process: RemoteProcess;
  #sightings: Sighting[] = [];
  #records: Buffer[] = [];
  #header: Buffer | undefined;
  /** The last messages of tcpdump, and the number of all characters that it has printed. */
  #words = '';
  #said = 0;
  #closing = false;
  #knownDrops = 0;
  #counters: CaptureCounters | undefined;
  #failure: MacvlabError | undefined;

  private constructor(options: CaptureOptions, process: RemoteProcess) {
    this.name = options.name;
    this.place = options;
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
   * Starts tcpdump and waits until it reports that it listens.
   * @throws MacvlabError CAPTURE_START with tcpdump's message
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
      // Root writes to a pipe: no file has an owner, and a minimal machine has no user "tcpdump".
      ...['-Z', 'root', '-w', '-'],
      ...(options.filter === undefined ? [] : [options.filter]),
    ];
    const capture = new Capture(options, await options.stack.start(argv, 'capture'));
    try {
      await capture.changes.until(() => /listening on/.test(capture.#words) || undefined, {
        what: `tcpdump on ${options.name} to listen`,
        deadline: capture.timeout(10_000),
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

  /** The deadline in milliseconds for a frame to be captured here; see {@link Session.timeout}. */
  timeout(milliseconds: number): number {
    return this.#session.timeout(milliseconds);
  }

  /** Frames decoded so far, with their times by the local clock, since the last `forget`. @throws MacvlabError CAPTURE_ENDED when tcpdump has died */
  get sightings(): readonly Sighting[] {
    if (this.#failure) throw this.#failure;
    return this.#sightings;
  }

  /** The counters that tcpdump has printed since the last `forget`. */
  get lastCounters(): CaptureCounters | undefined {
    return this.#counters;
  }

  /** Discards all frames so far, so that memory is bounded by one test. */
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
   * The frames since the last `forget` with their bytes; those of a capture that has died, too.
   * @param from how many of the first ones to leave out
   */
  frames(from = 0): CapturedFrame[] {
    return this.#sightings.slice(from).flatMap((sighting, index) => {
      const record = this.#records[from + index];
      return record ? [{ sighting, bytes: record.subarray(recordHeaderLength) }] : [];
    });
  }

  /**
   * Requests tcpdump's counters, which it prints on SIGUSR1 (tcpdump(8)).
   * @throws MacvlabError CAPTURE_ENDED
   */
  async counters(): Promise<CaptureCounters> {
    const before = this.#said;
    await this.#session.signal('USR1', [this.#process]);
    this.#counters = await this.changes.until(() => parseCounters(this.#wordsSince(before)), {
      what: `the counters of tcpdump on ${this.name}`,
      deadline: this.timeout(10_000),
      evidence: () => this.#words,
    });
    return this.#counters;
  }

  /** tcpdump's messages after its first so many characters. */
  #wordsSince(said: number): string {
    return this.#said === said ? '' : this.#words.slice(said - this.#said);
  }

  /** @throws MacvlabError CAPTURE_DROPPED when frames were dropped since the last call */
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

  /** Requests the end of tcpdump, and does not wait for it or for its interface; idempotent. */
  close(): void {
    if (this.#closing || this.#failure) return;
    this.#closing = true;
    // The captured frames remain. No more will come, so that all waits end.
    this.changes.fail(
      new MacvlabError('CAPTURE_ENDED', `the capture on ${this.name} was closed`, {
        next: 'ask a capture before it is closed',
      }),
    );
    // The end of a session ends its tcpdump.
    this.#session.signal('INT', [this.#process]).catch(() => undefined);
  }

  #read(reader: PcapReader, chunk: Buffer): void {
    try {
      const { clock, translation } = this.#session;
      const { ahead, error: timeError } = clock;
      const frames = reader.push(chunk);
      for (const frame of frames) {
        if (ahead !== 0) frame.time -= ahead;
        if (translation) translateAddresses(frame, (address) => translation.received(address));
        this.#sightings.push({ frame, at: this.name, order: decoded++, timeError });
      }
      if (followers.size > 0) {
        for (const captured of this.frames(this.#sightings.length - frames.length))
          for (const follower of followers) follower(captured, this);
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

/** Counters in tcpdump's output, on one line or on three; undefined until all three are there. */
export function parseCounters(words: string): CaptureCounters | undefined {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(words)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  // A search starts once per number, not at each of its digits: a program may print without end.
  const captured = number(/(?<!\d)(\d{1,15}) packets? captured/);
  const received = number(/(?<!\d)(\d{1,15}) packets? received by filter/);
  const dropped = number(/(?<!\d)(\d{1,15}) packets? dropped by kernel/);
  if (captured === undefined || received === undefined || dropped === undefined) return undefined;
  return { captured, received, dropped };
}
