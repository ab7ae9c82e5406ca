/** The decoding speed for captures, compared with tshark on the same file: both alternate in one run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PcapReader } from '../harness/wire/pcap/pcap-reader.js';
import { pcapHeader, pcapRecord } from '../harness/wire/pcap/pcap-writer.test-support.js';
import { sampleTraffic } from '../harness/wire/protocol/sample-traffic.test-support.js';
import { type Figure, ratio } from './figure.js';
import { alternate, type Contenders, median } from './measure.js';
import { duration, print } from './print.js';

const frameCount = 50_000;
/** Different frames; they are repeated, because creating them takes longer than decoding them. */
const distinctCount = 20_000;
const rounds = 3;
const ours = 'PcapReader';
/** How many times faster than tshark the reader should be. */
const aim = 10;
/** The fields that a test uses. */
const fields = [
  'frame.number',
  'eth.src',
  'eth.dst',
  'vlan.id',
  'arp.opcode',
  'arp.dst.proto_ipv4',
  'ip.src',
  'ip.dst',
];
const icmpFields = ['icmp.type', 'icmp.seq', 'icmpv6.type', 'icmpv6.nd.ns.target_address'];

/** How many times faster than tshark macvlab's reader is. */
export async function benchDecode(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  try {
    const file = path.join(folder, 'traffic.pcap');
    await writeFile(file, traffic());
    return report(await alternate(rounds, { [ours]: () => readFrames(file), ...tsharks(file) }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function traffic(): Buffer {
  const distinct = sampleTraffic(distinctCount, 1);
  const records = Array.from({ length: frameCount }, (_, index) =>
    pcapRecord(distinct[index % distinctCount] ?? new Uint8Array(0), index * 10),
  );
  return Buffer.concat([pcapHeader(), ...records]);
}

/** Reads the file in chunks, as from an SSH channel. */
async function readFrames(file: string): Promise<void> {
  const bytes = await readFile(file);
  const reader = new PcapReader();
  let count = 0;
  for (let at = 0; at < bytes.length; at += 32_768) count += reader.push(bytes.subarray(at, at + 32_768)).length;
  reader.end();
  if (count !== frameCount) throw new Error(`${frameCount} frames expected, ${count} read`);
}

function tsharks(file: string): Contenders<string> {
  const asked = [...fields, ...icmpFields];
  const fieldArguments = ['-T', 'fields', ...asked.flatMap((field) => ['-e', field])];
  return {
    [`tshark -n -T fields (${asked.length} fields)`]: () => tshark(file, fieldArguments),
    'tshark -n': () => tshark(file, []),
  };
}

/** Without name lookups, and with its output discarded. */
async function tshark(file: string, more: string[]): Promise<void> {
  const child = spawn('tshark', ['-n', '-r', file, ...more], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`tshark ended with status ${status}`);
}

function report(times: Record<string, number[]>): Figure[] {
  print(`decode: ${frameCount} mixed frames, medians of ${rounds} rounds`);
  for (const [name, values] of Object.entries(times)) {
    const rate = `${Math.round(frameCount / median(values))}k frames/s`;
    print(`  ${name}: ${duration(median(values))}, ${rate}`);
  }
  return Object.entries(times)
    .filter(([name]) => name !== ours)
    .map(([name, values]) =>
      ratio(`decoding: times as fast as ${name}`, values, times[ours] ?? [], { better: 'greater', aim }),
    );
}
