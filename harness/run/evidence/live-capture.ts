/** The frames of all labs of a run as one pcapng stream, while the run continues. */
import { version } from '../../core/version.js';
import type { Lab } from '../../lab/lab.js';
import { type Capture, type CapturedFrame, followCaptures } from '../../wire/capture.js';
import { PcapngFile } from '../../wire/pcap/pcapng-file.js';
import { describeCapture, macAt, namesOf } from './capture-points.js';

/** The point of a capture in the stream. */
interface Point {
  lab: Lab;
  interfaceId: number;
}

/** Writes each frame as soon as it is decoded. A capture point gets its interface block before its first frame. */
export class LiveCapture {
  readonly #file: PcapngFile;
  readonly #labs = new Map<Lab, number>();
  readonly #points = new WeakMap<Capture, Point>();
  /** Titles of tests that have begun, for the next frame of their labs. */
  readonly #begun = new Map<Lab, string>();
  readonly #unfollow: () => void;

  /** @param write receives each block */
  constructor(write: (block: Uint8Array) => void) {
    this.#file = new PcapngFile(write, {
      comments: ['frames of a run, live'],
      hardware: process.arch,
      application: `macvlab ${version()}`,
    });
    this.#unfollow = followCaptures((captured, capture) => this.#add(captured, capture));
  }

  /** Adds a lab. @param number of the lab in the run, from 1 */
  watch(lab: Lab, number: number): void {
    this.#labs.set(lab, number);
  }

  /** Puts the title of a test on the next frame of its lab. */
  testStarted(lab: Lab, title: string): void {
    this.#begun.set(lab, title);
  }

  /** Writes no further frames. */
  end(): void {
    this.#unfollow();
  }

  #add({ sighting, bytes }: CapturedFrame, capture: Capture): void {
    const point = this.#points.get(capture) ?? this.#newPoint(capture);
    if (!point) return;
    const { lab, interfaceId } = point;
    const { time, length, ethernet } = sighting.frame;
    const title = this.#begun.get(lab);
    this.#begun.delete(lab);
    // Addresses change with each test.
    this.#file.names(namesOf(lab));
    const direction = ethernet?.source === macAt(lab, capture) ? 'out' : 'in';
    const comments = title === undefined ? [] : [title];
    this.#file.packet({ interfaceId, time, bytes, length, direction, comments });
  }

  /** The point of a capture; undefined if it is in no lab of the run. */
  #newPoint(capture: Capture): Point | undefined {
    const { stack, direction } = capture.place;
    // All stacks of a lab have its log.
    const [lab, number] = [...this.#labs].find(([{ log }]) => log === stack.log) ?? [];
    if (!lab || number === undefined) return undefined;
    const about = describeCapture(lab, capture);
    const name = number === 1 ? about.name : `${about.name} (lab ${number})`;
    const point = { lab, interfaceId: this.#file.interface({ ...about, name }, direction) };
    this.#points.set(capture, point);
    return point;
  }
}
