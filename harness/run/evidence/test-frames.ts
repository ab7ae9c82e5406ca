/** The frames of a test as data for reports: each frame once, with the capture points that saw it. */
import type { Exchange, Outcome } from '../../exchange/exchange.js';
import type { Sighting } from '../../wire/capture.js';
import { describeFrame } from '../../wire/protocol/describe.js';

/** The content of a test's `-frames.json`. */
export interface TestFrames {
  schema: 1;
  /** Names of the capture points: "switch/node1 in". */
  points: string[];
  pings: TestPing[];
  /** In the order in which they were first seen. */
  frames: TestFrame[];
  /** How many further frames there are, which only the pcapng has. */
  omitted: number;
}

export interface TestPing {
  from: string;
  to: string;
  /** The address that was pinged. */
  target: string;
  outcome: Outcome;
  reason: string;
  /** The last assertion about it. */
  expected?: string;
  /** Where the frame was lost. */
  lost?: { step: string; last?: string; missing?: string };
}

export interface TestFrame {
  /** Packet id in the pcapng (frame.packet_id). */
  id: number;
  /** "ARP who-has 10.0.0.2 tell 10.0.0.1 (…)" */
  text: string;
  /** Whether it belongs to a ping, to a witness of a ping, or to neither. */
  kind: 'ping' | 'witness' | 'other';
  /** The index of a ping that lost it. */
  lostOf?: number;
  /** The index of a capture point, and milliseconds since the first frame. */
  seen: [point: number, time: number][];
}

/** How many frames reports can show. A flood has more. */
const most = 2000;

/** Collects the frames of a test in the order of their times. */
export class TestFrameCollector {
  readonly #points: string[];
  readonly #frames = new Map<number, TestFrame>();
  readonly #omitted = new Set<number>();
  #first: number | undefined;

  /** @param points names of the capture points */
  constructor(points: readonly string[]) {
    this.#points = [...points];
  }

  /** Adds a sighting. @param id of the frame; the same frame has the same id at each point */
  add(id: number, { at, frame }: Sighting, about: Pick<TestFrame, 'kind' | 'lostOf'>): void {
    this.#first ??= frame.time;
    const seen: [number, number] = [this.#points.indexOf(at), Math.round((frame.time - this.#first) / 10) / 100];
    const known = this.#frames.get(id);
    if (known) {
      known.seen.push(seen);
      if (about.lostOf !== undefined) known.lostOf = about.lostOf;
    } else if (this.#frames.size < most)
      this.#frames.set(id, { id, text: describeFrame(frame), ...about, seen: [seen] });
    else this.#omitted.add(id);
  }

  /** All of them, with the pings of the test. */
  all(exchanges: readonly Exchange[]): TestFrames {
    const pings = exchanges.map(pingOf);
    return { schema: 1, points: this.#points, pings, frames: [...this.#frames.values()], omitted: this.#omitted.size };
  }
}

function pingOf({ from, to, target, outcome, reason, expected, dropPoint }: Exchange): TestPing {
  return {
    ...{ from: from.name, to: to.name, target, outcome, reason },
    ...(expected !== undefined && { expected }),
    ...(dropPoint?.step && {
      lost: {
        step: dropPoint.step.name,
        ...(dropPoint.last && { last: dropPoint.last.label }),
        ...(dropPoint.missing && { missing: dropPoint.missing.label }),
      },
    }),
  };
}
