/** How fast captures are decoded, beside tshark on the same file: both in one run, turn by turn. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PcapReader } from '../harness/wire/pcap-reader.js';
import { pcapHeader, pcapRecord } from '../harness/wire/pcap-writer.js';
import { sampleTraffic } from '../harness/wire/sample-traffic.js';

const frameCount = 200_000;
/** Frames that differ; they come again and again, since making them takes longer than decoding them. */
const distinctCount = 20_000;
const rounds = 5;
/** What a test asks of its frames. */
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

interface Contender {
  name: string;
  run: (file: string) => Promise<void>;
  /** Seconds of wall time, one per round. */
  seconds: number[];
}

/** Prints frames per second of our reader and of tshark, and their ratio. */
export async function benchDecode(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  try {
    const file = path.join(folder, 'traffic.pcap');
    await writeFile(file, traffic());
    const ours: Contender = { name: 'PcapReader', run: readFrames, seconds: [] };
    const theirs = installed() ? tsharks() : [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of [ours, ...theirs]) contender.seconds.push(await secondsOf(() => contender.run(file)));
    }
    report(ours, theirs);
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

/** Reads the file in portions as an SSH channel gives them. */
async function readFrames(file: string): Promise<void> {
  const bytes = await readFile(file);
  const reader = new PcapReader();
  let count = 0;
  for (let at = 0; at < bytes.length; at += 32_768) count += reader.push(bytes.subarray(at, at + 32_768)).length;
  reader.end();
  if (count !== frameCount) throw new Error(`${frameCount} frames expected, ${count} read`);
}

function tsharks(): Contender[] {
  const fieldArguments = ['-T', 'fields', ...[...fields, ...icmpFields].flatMap((field) => ['-e', field])];
  return [
    {
      name: `tshark -n -T fields (${fields.length + icmpFields.length} fields)`,
      run: (file) => tshark(file, fieldArguments),
      seconds: [],
    },
    { name: 'tshark -n', run: (file) => tshark(file, []), seconds: [] },
  ];
}

/** Without name lookups, and with its output thrown away. */
async function tshark(file: string, more: string[]): Promise<void> {
  const child = spawn('tshark', ['-n', '-r', file, ...more], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`tshark ended with status ${status}`);
}

function installed(): boolean {
  return spawnSync('tshark', ['--version']).status === 0;
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function report(ours: Contender, theirs: Contender[]): void {
  print(`decoding ${frameCount} mixed frames, median of ${rounds} rounds, turn by turn`);
  for (const contender of [ours, ...theirs]) {
    const median = medianOf(contender.seconds);
    const rate = `${Math.round(frameCount / median / 1000)}k frames/s`;
    const ratio =
      contender === ours ? '' : `; PcapReader is ${(median / medianOf(ours.seconds)).toFixed(1)} times as fast`;
    print(`  ${contender.name}: ${median.toFixed(3)} s, ${rate}${ratio}`);
  }
  if (theirs.length === 0) print('  no ratio: tshark is not installed; get it with `apt-get install tshark`');
}

function medianOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
