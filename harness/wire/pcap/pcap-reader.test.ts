import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFrame } from '../protocol/decode.js';
import type { Frame } from '../protocol/frame.js';
import { PcapError } from './pcap-format.js';
import { PcapReader } from './pcap-reader.js';
import { pcapHeader, pcapRecord } from './pcap-writer.test-support.js';
import { join } from '../protocol/encode.js';
import { sampleTraffic } from '../protocol/sample-traffic.test-support.js';

const start = 1_764_000_000_000_000;
const traffic = sampleTraffic(40, 1);
const file = join(pcapHeader(), ...traffic.map((bytes, index) => pcapRecord(bytes, start + index)));
const expected = traffic.map((bytes, index) => decodeFrame(bytes, start + index));

/** All frames of a stream that arrives in these chunks. */
function readAll(...chunks: Uint8Array[]): Frame[] {
  const reader = new PcapReader();
  const frames = chunks.flatMap((chunk) => reader.push(chunk));
  reader.end();
  return frames;
}

/** One frame in a file with the given order of bytes and unit of time. */
function oneFrame(bigEndian: boolean, nanoseconds: boolean, fraction: number, network = 1): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(24 + 16 + 14));
  const words = [nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0, 0, 0, 65535, network, 1_764_000_000, fraction, 14, 1514];
  for (const [index, word] of words.entries()) bytes.setUint32(4 * index, word, !bigEndian);
  bytes.setUint16(4, 2, !bigEndian);
  bytes.setUint16(6, 4, !bigEndian);
  bytes.setUint16(52, 0x88b5);
  return new Uint8Array(bytes.buffer);
}

describe('reading pcap', () => {
  it('gives back what was written', () => expect(readAll(file)).to.deep.equal(expected));

  it('gives each frame with the byte that completes it', () => {
    const reader = new PcapReader();
    const given = Array.from(file, (_, at) => reader.push(file.subarray(at, at + 1)).length);
    const ends = traffic.reduce<number[]>((all, bytes) => [...all, (all.at(-1) ?? 23) + 16 + bytes.length], []);
    expect(given.flatMap((count, at) => (count > 0 ? [at] : []))).to.deep.equal(ends);
  });

  it('gives the same frames in whatever chunks the bytes come, even if a chunk is used again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const reader = new PcapReader();
        const frames: Frame[] = [];
        for (let at = 0, index = 0; at < file.length; index++) {
          const size = Math.max(sizes[index % sizes.length] ?? 1, index % 7 === 6 ? 1 : 0);
          const chunk = file.slice(at, at + size);
          frames.push(...reader.push(chunk));
          chunk.fill(0xff);
          at += size;
        }
        reader.end();
        expect(frames).to.deep.equal(expected);
      }),
      { numRuns: 200 },
    );
  });

  for (const bigEndian of [false, true]) {
    const order = bigEndian ? 'big-endian' : 'little-endian';
    it(`reads ${order} files in micro- and nanoseconds`, () => {
      const reader = new PcapReader();
      const [micro] = reader.push(oneFrame(bigEndian, false, 123456));
      expect(micro).to.include({ time: 1_764_000_000_123_456, length: 1514, captured: 14 });
      expect(reader.header).to.deep.equal({
        ...{ version: '2.4', linkType: 1, snapLength: 65535, nanoseconds: false, bigEndian },
      });
      const [nano] = readAll(oneFrame(bigEndian, true, 123_456_500));
      expect(nano?.time).to.equal(1_764_000_000_123_456.5);
    });
  }

  it('does not mind a note on frame check sequences beside the link type', () => {
    expect(readAll(oneFrame(false, false, 0, 0x24000001))).to.have.length(1);
  });

  it('keeps the length on the wire of a cut frame, and no less than was captured', () => {
    const [bytes = new Uint8Array(0)] = traffic;
    const records = [pcapRecord(bytes, start, 9000), pcapRecord(bytes, start, 0)];
    expect(readAll(pcapHeader(), ...records).map(({ length }) => length)).to.deep.equal([9000, bytes.length]);
  });

  it('takes a frame as long as tcpdump writes', () => {
    expect(readAll(pcapHeader(), pcapRecord(new Uint8Array(262144), start))).to.have.length(1);
  });

  const refused: [what: string, bytes: Uint8Array, reason: RegExp][] = [
    [
      'pcapng',
      join('0a0d0d0a 1c000000 4d3c2b1a', new Uint8Array(16)),
      /pcapng file; convert it with `tcpdump -r in -w out`/,
    ],
    ['gzip', join('1f8b0800', new Uint8Array(24)), /gzip/],
    ['text', Buffer.from('tcpdump: eth7: No such device exists'), /text that begins "tcpdump:"/],
    ['other bytes', join('00010203 04050607', new Uint8Array(24)), /bytes 00 01 02 03 04 05 06 07/],
    ['the any device', oneFrame(false, false, 0, 113), /link type 113 \(Linux cooked/],
    ['an unknown link type', oneFrame(false, false, 0, 999), /link type 999$/],
  ];
  for (const [what, bytes, reason] of refused) {
    it(`refuses ${what}`, () => {
      const reader = new PcapReader();
      expect(() => reader.push(bytes)).to.throw(PcapError, reason);
      expect(() => reader.push(file)).to.throw(PcapError, reason);
      expect(() => reader.end()).to.throw(PcapError, reason);
    });
  }

  it('refuses an absurd length, but gives the frames before it', () => {
    const damaged = join(file, 'ffffffff'.repeat(4));
    const reader = new PcapReader();
    expect(reader.push(damaged)).to.deep.equal(expected);
    expect(() => reader.push(new Uint8Array(1))).to.throw(
      PcapError,
      'record 41 is damaged: it states 4294967295 bytes',
    );
    expect(() => reader.end()).to.throw(PcapError, 'record 41');
  });

  it('says when the file ends too early', () => {
    expect(() => readAll()).to.throw(PcapError, 'header of 24 bytes expected, 0 arrived');
    expect(() => readAll(file.subarray(0, 23))).to.throw(PcapError, 'header of 24 bytes expected, 23 arrived');
    expect(() => readAll(file.subarray(0, -1))).to.throw(PcapError, 'ends within record 40');
    expect(readAll(file.subarray(0, 24))).to.deep.equal([]);
  });

  it('throws nothing but PcapError, whatever the bytes', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.boolean(), chunks, (withHeader, parts) => {
        try {
          readAll(withHeader ? pcapHeader() : new Uint8Array(0), ...parts);
        } catch (error) {
          expect(error).to.be.instanceOf(PcapError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
