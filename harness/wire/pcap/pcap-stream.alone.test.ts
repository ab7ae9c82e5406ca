import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { PcapError } from './pcap-format.js';
import { PcapReader } from './pcap-reader.js';
import { pcapHeader, pcapRecord } from './pcap-writer.test-support.js';
import { join } from '../protocol/encode.js';
import { sampleTraffic } from '../protocol/sample-traffic.test-support.js';

const traffic = sampleTraffic(300, 3);
const mebibyte = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** This process's memory in bytes, in V8's heap and outside it. On a busy machine, V8 collects garbage late. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Reads the same bytes repeatedly, in chunks that never divide them at the same places, and returns frames and memory. */
function readLong(reader: PcapReader, block: Uint8Array, bytes: number): { frames: number; growth: number } {
  const before = held();
  let growth = 0;
  let frames = 0;
  const twice = join(block, block);
  for (let at = 0; at < bytes;) {
    const from = at % block.length;
    const chunk = twice.subarray(from, from + Math.min(60_000 + (at % 9973), block.length));
    frames += reader.push(chunk).length;
    at += chunk.length;
    if (held() - before > 64 * mebibyte) collectGarbage();
    growth = Math.max(growth, held() - before);
  }
  return { frames, growth };
}

describe('reading a pcap that is larger than memory should be', function () {
  this.timeout(120_000);
  const records = traffic.map((bytes, index) => pcapRecord(bytes, index));
  const large = pcapRecord(new Uint8Array(262_144), 1);

  for (const [what, block, frames] of [
    ['small frames', join(...records, ...records, ...records), 900],
    ['the largest frames', large, 1],
    ['empty frames', join(...Array.from({ length: 5000 }, () => pcapRecord(new Uint8Array(0), 1))), 5000],
  ] as const) {
    it(`of ${what}: memory is bounded by a chunk and a frame, whatever the file`, () => {
      const reader = new PcapReader();
      reader.push(pcapHeader());
      const bytes = (what === 'the largest frames' ? 384 : 48) * mebibyte;
      const rounds = Math.floor(bytes / block.length);
      const read = readLong(reader, block, rounds * block.length);
      expect(read.frames).to.be.within((rounds - 1) * frames, (rounds + 1) * frames);
      // One chunk's result is garbage when the next arrives.
      expect(read.growth / mebibyte).to.be.below(96);
    });
  }

  it('of a record without end: refused when it states too much, and kept to what it states', () => {
    const reader = new PcapReader();
    const before = held();
    reader.push(pcapHeader());
    const record = pcapRecord(new Uint8Array(0), 1);
    record.set([0xff, 0x0f, 0x04, 0x00], 8);
    reader.push(record);
    const given: number[] = [];
    for (let at = 0; at < 0x040fff; at += 1) if (reader.push(Uint8Array.of(0xff)).length > 0) given.push(at);
    expect(given).to.deep.equal([0x040ffe]);
    expect((held() - before) / mebibyte).to.be.below(96);
    expect(() => {
      for (let at = 0; at < 64; at += 1) reader.push(new Uint8Array(mebibyte).fill(0xff));
    }).to.throw(PcapError, 'it states 4294967295 bytes');
  });
});
