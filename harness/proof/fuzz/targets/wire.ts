/** Fuzzing targets: data from the wire, and tcpdump's output about it. */
import { isDeepStrictEqual } from 'node:util';
import { canonicalIp, canonicalMac } from '../../../wire/protocol/address.js';
import { parseCounters } from '../../../wire/capture.js';
import { decodeFrame } from '../../../wire/protocol/decode.js';
import { describeFrame } from '../../../wire/protocol/describe.js';
import type { Frame } from '../../../wire/protocol/frame.js';
import { PcapError, recordHeaderLength } from '../../../wire/pcap/pcap-format.js';
import { PcapReader } from '../../../wire/pcap/pcap-reader.js';
import { pcapHeader, pcapRecord } from '../../../wire/pcap/pcap-writer.test-support.js';
import { sampleTraffic } from '../../../wire/protocol/sample-traffic.test-support.js';
import { must, mustBeFinite, type Target, textTarget } from '../target.js';

const traffic = sampleTraffic(60, 7);
const file = Buffer.concat([
  pcapHeader(),
  ...traffic.slice(0, 4).map((bytes, index) => pcapRecord(bytes, index * 1e6)),
]);

/** The result of a reader for a stream in chunks of this size: its frames, and why it stopped. */
function readIn(input: Uint8Array, size: number): { frames: Frame[]; why: string | undefined; kept: Buffer } {
  const pieces: Buffer[] = [];
  const reader = new PcapReader((bytes) => pieces.push(Buffer.from(bytes)));
  const frames: Frame[] = [];
  let why: string | undefined;
  try {
    for (let at = 0; at < input.length; at += size) frames.push(...reader.push(input.subarray(at, at + size)));
    reader.end();
  } catch (error) {
    if (!(error instanceof PcapError)) throw error;
    why = error.message;
  }
  return { frames, why, kept: Buffer.concat(pieces) };
}

function readPcap(input: Uint8Array): void {
  const whole = readIn(input, Math.max(1, input.length));
  mustBeFinite(whole.frames);
  must(whole.frames.length * recordHeaderLength <= input.length, 'there are more frames than bytes for them');
  must(whole.kept.equals(input.subarray(0, whole.kept.length)), 'what is kept is not what came');
  for (const size of [1, 7, 61]) {
    must(isDeepStrictEqual(readIn(input, size), whole), `in chunks of ${size} bytes it reads as something else`);
  }
}

function readFrame(input: Uint8Array): void {
  const frame = decodeFrame(input, 0);
  mustBeFinite(frame);
  must(!/undefined|NaN/.test(describeFrame(frame)), `it is described as ${describeFrame(frame)}`);
  must(frame.malformed !== '', 'it is malformed without a reason');
  // A frame that the capture has cut decodes to the same layers as far as it reaches, or is reported as cut.
  const cut = decodeFrame(input, 0, input.length, 0, input.length >> 1);
  for (const layer of ['arp', 'ipv4', 'udp', 'tcp'] as const) {
    if (!cut.malformed && cut[layer])
      must(isDeepStrictEqual(cut[layer], frame[layer]), `cut, its ${layer} says otherwise`);
  }
  // The bytes around a frame do not matter.
  const amid = Buffer.concat([Buffer.alloc(3, 0xff), input, Buffer.alloc(70, 0xff)]);
  must(
    isDeepStrictEqual(decodeFrame(amid, 0, input.length, 3, 3 + input.length), frame),
    'it depends on its surroundings',
  );
}

/** A wrong address is a TypeError: addresses are ours, or an error of a test. */
function readAddress(text: string): void {
  for (const canonical of [canonicalIp, canonicalMac]) {
    try {
      const once = canonical(text);
      must(canonical(once) === once, `${once} is not canonical`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

export const wireTargets: readonly Target[] = [
  {
    name: 'pcap reader',
    seeds: [file, Buffer.concat([pcapHeader(), pcapRecord(new Uint8Array(0), 1)])],
    run: readPcap,
  },
  { name: 'frame decoder', seeds: traffic, run: readFrame },
  textTarget('addresses', ['fe80::1:0:0:2', '::ffff:10.0.0.1', '192.168.1.20', '02:Ab:00:00:00:01'], [], readAddress),
  textTarget(
    'tcpdump’s counters',
    [
      'tcpdump: 12 packets captured, 15 packets received by filter, 0 packets dropped by kernel\n',
      '1 packet captured\n2 packets received by filter\n3 packets dropped by kernel\n',
    ],
    [],
    parseCounters,
    { words: [' packets captured', ' packets received by filter', ' packets dropped by kernel'] },
  ),
];
