/** Shows frames as they arrive, and writes them to a pcapng file. */
import { version } from '../../core/version.js';
import type { NetworkStack } from '../../remote/network-stack.js';
import { Capture, type Direction, type Sighting } from '../../wire/capture.js';
import { describeFrame } from '../../wire/protocol/describe.js';
import { PcapngFile } from '../../wire/pcap/pcapng-file.js';
import { CaptureOutput } from '../capture-output.js';
import { notice, print } from '../output.js';

/** An interface to listen on. */
export interface FollowedPoint {
  stack: NetworkStack;
  device: string;
  /** Only frames of one direction. */
  direction?: Direction;
  /** What it is, for the file. */
  description?: string;
}

export interface FollowOptions {
  promiscuous: boolean;
  /** How many frames to show; without it, until the signal aborts. */
  count: number | undefined;
  /** The pcapng file to write; "-" writes it to standard output, and shows no frames. */
  file: string | undefined;
  /** In the syntax of pcap-filter(7). */
  filter?: string;
  /** Names of IP addresses and MACs, for the file. */
  names?: readonly (readonly [address: string, name: string])[];
  signal: AbortSignal;
}

/**
 * Shows frames at some interfaces until there are enough, the signal aborts or the output is closed. Then prints tcpdump's counters.
 * @throws MacvlabError CAPTURE_START; CAPTURE_ENDED; OUT_NOT_WRITABLE
 */
export async function followFrames(
  points: readonly FollowedPoint[],
  { promiscuous, count = Number.POSITIVE_INFINITY, file, filter, names = [], signal }: FollowOptions,
): Promise<void> {
  const output = file === undefined ? undefined : await CaptureOutput.open(file, '--write', signal);
  const pcapng = output && new PcapngFile((block) => output.write(block), { application: `macvlab ${version()}` });
  pcapng?.names(names);
  const captures: Capture[] = [];
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal, ...(output ? [output.closed] : [])]);
  const unread = () => enough.abort();
  process.stdout.once('error', unread);
  let remaining = count;
  const take = (capture: Capture, interfaceId: number): undefined => {
    const fresh = capture.frames().slice(0, remaining);
    capture.forget();
    for (const { sighting, bytes } of fresh) {
      const { time, length } = sighting.frame;
      pcapng?.packet({ interfaceId, time, bytes, length });
    }
    remaining -= fresh.length;
    if (file !== '-') print(...fresh.map(({ sighting }) => line(sighting, points.length > 1)));
    if (remaining === 0) enough.abort();
  };
  try {
    const opened = await Promise.allSettled(
      points.map(({ stack, device, direction }) => {
        const name = [`${stack.name}/${device}`, ...(direction ? [direction] : [])].join(' ');
        const what = { ...(direction && { direction }), ...(filter && { filter }) };
        return Capture.open({ ...{ name, stack, device, promiscuous }, ...what });
      }),
    );
    captures.push(...opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    for (const each of opened) if (each.status === 'rejected') throw each.reason as Error;
    for (const [index, { name, place }] of captures.entries()) {
      const { description } = points[index] ?? {};
      const { direction } = place;
      pcapng?.interface({ name, ...(description && { description }), ...(filter && { filter }) }, direction);
    }
    notice(`listening on ${captures.map(({ name }) => name).join(', ')}`);
    await Promise.all(captures.map((capture, index) => follow(capture, () => take(capture, index), stop)));
    await tellCounters(captures, pcapng);
  } finally {
    process.stdout.off('error', unread);
    for (const capture of captures) capture.close();
    // Without a request to end, a tcpdump ends only at its next frame. A later command does not overtake that request.
    const sessions = new Set(points.map(({ stack }) => stack.session));
    await Promise.all([...sessions].map((session) => session.run(['true']).catch(() => undefined)));
    await output?.close();
  }
}

/** The longest possible timer (milliseconds, HTML standard and Node): nearly 25 days. */
const longest = 2 ** 31 - 1;

/** Calls `take` at each change until `stop` aborts. @throws MacvlabError CAPTURE_ENDED */
async function follow(capture: Capture, take: () => undefined, stop: AbortSignal): Promise<void> {
  try {
    await capture.changes.until(take, {
      what: `${capture.name} to be watched long enough`,
      deadline: longest,
      signal: stop,
    });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/** Prints the counters, and adds them to the file. */
async function tellCounters(captures: readonly Capture[], pcapng: PcapngFile | undefined): Promise<void> {
  const counters = await Promise.all(captures.map((capture) => capture.counters()));
  for (const [interfaceId, { captured, received, dropped }] of counters.entries()) {
    const [capture, time] = [captures[interfaceId], Date.now() * 1000];
    pcapng?.statistics({ interfaceId, time, accepted: received, osDropped: dropped, delivered: captured });
    notice(
      `${capture?.name}: ${captured} packets captured, ${received} received by filter, ${dropped} dropped by the kernel`,
    );
  }
}

/** "08:15:00.123456 ARP who-has ...": local time, as in tcpdump's output; with the interface if there are several. */
function line({ frame, at }: Sighting, several: boolean): string {
  const clock = new Date(frame.time / 1000).toTimeString().slice(0, 8);
  const microseconds = String(Math.floor(frame.time) % 1_000_000).padStart(6, '0');
  return `${clock}.${microseconds} ${several ? `${at} ` : ''}${describeFrame(frame)}`;
}
