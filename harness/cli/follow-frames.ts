/** Frames shown as they come, and written to a pcap file. */
import type { NetworkStack } from '../remote/network-stack.js';
import { Capture, type Sighting } from '../wire/capture.js';
import { describeFrame } from '../wire/describe.js';
import { remark, say } from './output.js';
import { PcapFile } from './pcap-file.js';

export interface FollowOptions {
  promiscuous: boolean;
  /** How many frames to show; without it, until the signal. */
  count: number | undefined;
  /** The pcap file to write; "-" writes it to standard output, and shows no frames. */
  file: string | undefined;
  /** As pcap-filter(7) has it. */
  filter?: string;
  signal: AbortSignal;
}

/**
 * Shows frames at some devices of a stack until there are enough, the signal aborts or nobody reads them any more; then
 * tells tcpdump's counters.
 * @throws MacvlabError CAPTURE_START; CAPTURE_ENDED; OUT_NOT_WRITABLE
 */
export async function followFrames(
  stack: NetworkStack,
  devices: readonly string[],
  { promiscuous, count = Number.POSITIVE_INFINITY, file, filter, signal }: FollowOptions,
): Promise<void> {
  using pcap = file === undefined ? undefined : new PcapFile(file);
  const captures = await Promise.all(
    devices.map((device) =>
      Capture.open({ name: `${stack.name}/${device}`, stack, device, promiscuous, ...(filter && { filter }) }),
    ),
  );
  remark(`listening on ${captures.map(({ name }) => name).join(', ')}`);
  const several = captures.length > 1;
  let remaining = count;
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  const unread = () => enough.abort();
  process.stdout.once('error', unread);
  const take = (capture: Capture): undefined => {
    const fresh = capture.sightings.slice(0, remaining);
    pcap?.add(capture.pcap(), fresh);
    capture.forget();
    remaining -= fresh.length;
    if (file !== '-') say(...fresh.map((sighting) => line(sighting, several)));
    if (remaining === 0) enough.abort();
  };
  try {
    await Promise.all(captures.map((capture) => follow(capture, take, stop)));
    await tellCounters(captures);
  } finally {
    process.stdout.off('error', unread);
    for (const capture of captures) capture.close();
    // A tcpdump that nobody tells to end would only notice at its next frame; what is asked after it has overtaken nothing.
    await stack.session.run(['true']).catch(() => undefined);
  }
}

/** The longest that a timer can be set for (milliseconds, HTML standard and Node): nearly 25 days. */
const longest = 2 ** 31 - 1;

/** Calls `take` at each change until `stop` aborts. @throws MacvlabError CAPTURE_ENDED */
async function follow(capture: Capture, take: (capture: Capture) => undefined, stop: AbortSignal): Promise<void> {
  try {
    await capture.changes.until(() => take(capture), {
      what: `${capture.name} to be watched long enough`,
      deadline: longest,
      signal: stop,
    });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

async function tellCounters(captures: readonly Capture[]): Promise<void> {
  for (const capture of captures) {
    const { captured, received, dropped } = await capture.counters();
    remark(
      `${capture.name}: ${captured} packets captured, ${received} received by filter, ${dropped} dropped by the kernel`,
    );
  }
}

/** "08:15:00.123456 ARP who-has ...": local time, as tcpdump has it; with the interface where there are several. */
function line({ frame, at }: Sighting, several: boolean): string {
  const clock = new Date(frame.time / 1000).toTimeString().slice(0, 8);
  const microseconds = String(Math.floor(frame.time) % 1_000_000).padStart(6, '0');
  return `${clock}.${microseconds} ${several ? `${at} ` : ''}${describeFrame(frame)}`;
}
