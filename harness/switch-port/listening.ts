/** The captures during the test of one VLAN of a port. */
import { MacvlabError } from '../core/error.js';
import { pause } from '../core/wait.js';
import type { Scope } from '../core/scope.js';
import { mark, type CapturePoint, type Mark, seen, type View } from '../wire/capture-point.js';
import type { Frame } from '../wire/protocol/frame.js';
import type { FramePattern } from '../wire/pattern.js';
import { floodedFrom } from './flood.js';
import { type HostNic, isTree, nicPoint } from './segment.js';
import type { MacRange } from './mac-range.js';

/** Milliseconds that a copy may arrive after the witness, which is sent after the original; more if replies take longer. */
const leastGrace = 200;
/** How many round trips a copy may take: a switch may have several queues. */
const graceRoundTrips = 3;

export class Listening {
  readonly nic: CapturePoint;
  readonly peer: CapturePoint | undefined;
  readonly #since: Mark;
  readonly #points: CapturePoint[];
  #roundTrip = 0;

  private constructor(nic: CapturePoint, peer: CapturePoint | undefined) {
    this.nic = nic;
    this.peer = peer;
    this.#since = mark();
    this.#points = peer ? [nic, peer] : [nic];
  }

  /** Captures at the NIC, and at the peer's if there is one. @throws MacvlabError CAPTURE_START */
  static async open(host: HostNic, peer: HostNic | undefined, macs: MacRange, scope: Scope): Promise<Listening> {
    const listening = new Listening(nicPoint(host, macs), peer && nicPoint(peer, macs));
    for (const point of listening.#points) scope.defer(`stop listening on ${point.label}`, () => point.close());
    await Promise.all(listening.#points.map((point) => point.open()));
    return listening;
  }

  /** Adds the capture at a child, for health and pcaps. */
  add(point: CapturePoint): void {
    this.#points.push(point);
  }

  /** Frames in a view that match a pattern, all of them or those since a mark. */
  frames(view: View, pattern?: FramePattern, since = this.#since): Frame[] {
    const frames = seen(view, since).map(({ frame }) => frame);
    return pattern ? frames.filter((frame) => pattern.matches(frame)) : frames;
  }

  /** How many spanning tree messages the switch has sent. */
  get bpdus(): number {
    return this.frames(this.nic.in).filter(({ ethernet }) => isTree(ethernet?.destination)).length;
  }

  /** Whether more of the children's frames arrive than any switch would return after so few: then nothing more is sent. */
  isFlooded(macs: readonly string[]): boolean {
    return this.received(macs) > floodedFrom;
  }

  /** How many of the children's frames have arrived at the NIC. */
  received(macs: readonly string[]): number {
    return this.frames(this.nic.in).filter(({ ethernet }) => ethernet && macs.includes(ethernet.source)).length;
  }

  /** Records how long a reply took, in milliseconds: later waits are proportional to it. */
  took(milliseconds: number): void {
    this.#roundTrip = Math.max(this.#roundTrip, milliseconds);
  }

  /** Milliseconds of the slowest reply. */
  get roundTrip(): number {
    return this.#roundTrip;
  }

  /** Waits until frames on their way have arrived and are decoded. */
  async settle(): Promise<void> {
    await pause(this.nic.stack.timeout(Math.max(leastGrace, graceRoundTrips * this.#roundTrip)));
  }

  /** The losses of captures, as text; undefined if there are none. */
  async lost(): Promise<string | undefined> {
    const captures = this.#points.flatMap((point) => [...point.captures]);
    const words = await Promise.all(
      captures.map(async (capture) => {
        try {
          await capture.refuseDrops();
          return undefined;
        } catch (error) {
          if (error instanceof MacvlabError && error.code === 'CAPTURE_DROPPED') return error.message;
          throw error;
        }
      }),
    );
    return words.filter((each) => each !== undefined).join('; ') || undefined;
  }

  /** The captures as pcap files, by name: "h1/eth1 in". */
  pcaps(): Map<string, Buffer> {
    const captures = this.#points.flatMap((point) => [...point.captures]);
    const entries = captures.flatMap((capture): [string, Buffer][] => {
      const pcap = capture.pcap();
      return pcap ? [[capture.name, pcap]] : [];
    });
    return new Map(entries);
  }
}
