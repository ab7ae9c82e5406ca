/** All captured frames of a test as one pcapng file: one interface per capture point, notes where a frame was lost. */
import { version } from '../../core/version.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { Lab } from '../../lab/lab.js';
import { type CapturedFrame, type Sighting } from '../../wire/capture.js';
import { isAfter } from '../../wire/capture-point.js';
import { PcapngFile } from '../../wire/pcap/pcapng-file.js';
import { sectionHeader, type SectionText } from '../../wire/pcap/pcapng-writer.js';
import { join } from '../../wire/protocol/encode.js';
import type { TestRecord } from '../record.js';
import { type TestFrame, TestFrameCollector, type TestFrames } from './test-frames.js';
import { describeCapture, macAt, namesOf } from './capture-points.js';

/** The frames of a test, before its verdict is known. */
export interface CapturedTest {
  /** The pcapng file with a test's verdict. */
  file(run: string, record: TestRecord): Uint8Array;
  /** Its frames as data for reports. */
  frames: TestFrames;
  /** Packet ids of the frame that a failure is about: the lost frame, or the echo request. There are several if a router forwards it. */
  packets: number[];
}

/**
 * Reads the captures of a lab as they are now; the file can be made later, when captures are closed.
 * @param about the exchange that a failure is about
 * @returns undefined if no frame was captured
 */
export function capturedTest(lab: Lab, about?: Exchange): CapturedTest | undefined {
  const { captures } = lab.listening;
  const frames = captures.flatMap((capture, interfaceId) =>
    capture.frames().map((captured) => ({ ...captured, interfaceId })),
  );
  if (frames.length === 0) return undefined;
  frames.sort((a, b) => a.sighting.frame.time - b.sighting.frame.time || a.sighting.order - b.sighting.order);
  const blocks: Uint8Array[] = [];
  const file = new PcapngFile((block) => blocks.push(block));
  const macs = captures.map((capture) => macAt(lab, capture));
  for (const capture of captures) file.interface(describeCapture(lab, capture), capture.place.direction);
  file.names(namesOf(lab));
  const { exchanges } = lab.ledger;
  const noteOf = notesOf(exchanges, frames);
  const collector = new TestFrameCollector(captures.map(({ name }) => name));
  const packets = new Set<number>();
  const isAbout = about && frameOf(about);
  for (const { interfaceId, sighting, bytes } of frames) {
    const { frame } = sighting;
    const { time, length } = frame;
    const { comments, ...kind } = noteOf(sighting);
    const direction = frame.ethernet?.source === macs[interfaceId] ? 'out' : 'in';
    const id = file.packet({ interfaceId, time, bytes, length, direction, comments });
    if (isAbout?.(sighting)) packets.add(id);
    collector.add(id, sighting, kind);
  }
  const last = frames.at(-1)?.sighting.frame.time ?? 0;
  captures.forEach((capture, interfaceId) => {
    const { lastCounters: counters } = capture;
    const delivered = frames.filter((captured) => captured.interfaceId === interfaceId).length;
    file.statistics({
      ...{ interfaceId, time: last },
      ...(counters
        ? {
            ...(capture.place.filter === undefined && { received: counters.received }),
            ...{ accepted: counters.received, osDropped: counters.dropped, delivered: counters.captured },
            comments: ['counted by tcpdump since this capture began, which may be before the test'],
          }
        : { delivered, comments: ['the frames in this file; no assertion needed the counters of tcpdump'] }),
    });
  });
  return {
    frames: collector.all(exchanges),
    packets: [...packets],
    file: (run, record) => join(sectionHeader(sectionOf(lab, run, record)), ...blocks),
  };
}

/** The text at the beginning of a file. */
function sectionOf({ driver, kernel }: Lab, run: string, record: TestRecord): SectionText {
  const reason = record.reason ?? record.failure?.message;
  return {
    comments: [
      `${record.id} ${record.title}`,
      `verdict: ${record.verdict}`,
      ...(reason ? [`reason: ${reason}`] : []),
      `run: ${run}`,
    ],
    hardware: `${process.arch}, ${driver} lab`,
    os: `Linux ${kernel}`,
    application: `macvlab ${version()}`,
  };
}

/** What is known about a frame at a capture point. */
interface FrameNotes extends Pick<TestFrame, 'kind' | 'lostOf'> {
  /** Where a lost frame was last seen, and that it is a witness's. */
  comments: string[];
}

/** A function that returns what is known about each frame. */
function notesOf(exchanges: readonly Exchange[], frames: readonly CapturedFrame[]): (sighting: Sighting) => FrameNotes {
  const lost = new Map<Sighting, { lostOf: number; comments: string[] }>();
  for (const [index, exchange] of exchanges.entries()) {
    const { step, last, missing } = exchange.dropPoint ?? {};
    if (!step || !last) continue;
    const names = new Set(last.captures.map(({ name }) => name));
    const isOwn = during(exchange, ({ frame }) => step.pattern.matches(frame));
    const found = frames.findLast(({ sighting }) => names.has(sighting.at) && isOwn(sighting));
    if (!found) continue;
    const next = missing ? `expected at ${missing.label}, missing` : exchange.reason;
    const note = `last seen here: ${step.name} of the ping from ${exchange.from.name} to ${exchange.to.name}; ${next}`;
    lost.set(found.sighting, {
      lostOf: index,
      comments: [...(lost.get(found.sighting)?.comments ?? []), note],
    });
  }
  const witnessed = exchanges.filter(({ witness }) => witness.sentSince !== undefined);
  const isOfAnExchange = exchanges.map((exchange) =>
    during(exchange, ({ frame }) => exchange.steps.some(({ pattern }) => pattern.matches(frame))),
  );
  const isWitness = (sighting: Sighting) =>
    witnessed.some((exchange) => isAfter(sighting, exchange.since) && exchange.witness.owns(sighting.frame));
  return (sighting) => {
    const kind = isOfAnExchange.some((isOwn) => isOwn(sighting)) ? 'ping' : isWitness(sighting) ? 'witness' : 'other';
    const { lostOf, comments = [] } = lost.get(sighting) ?? {};
    return {
      kind,
      ...(lostOf !== undefined && { lostOf }),
      comments: [...comments, ...(kind === 'witness' ? ['witness'] : [])],
    };
  };
}

/** Whether a sighting is one of the frame that a failure is about. */
function frameOf(exchange: Exchange): (sighting: Sighting) => boolean {
  const step = exchange.dropPoint?.step ?? exchange.steps.find(({ name }) => name === 'echo request');
  return during(exchange, ({ frame }) => step?.pattern.matches(frame) === true);
}

/** A condition for frames, limited to the time of an exchange. */
function during(exchange: Exchange, holds: (sighting: Sighting) => boolean): (sighting: Sighting) => boolean {
  const { since, until } = exchange;
  return (sighting) => isAfter(sighting, since) && sighting.frame.time - sighting.timeError <= until && holds(sighting);
}
