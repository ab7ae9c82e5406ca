import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFrame } from './decode.js';
import { describeFrame } from './describe.js';
import type { Frame } from './frame.js';
import { PcapError } from '../pcap/pcap-format.js';
import { PcapReader } from '../pcap/pcap-reader.js';
import { pcapHeader, pcapRecord } from '../pcap/pcap-writer.test-support.js';
import { arp, echo, ethernet, icmp, icmpv6, ipv4, ipv6, join, number } from './encode.js';
import { sampleTraffic } from './sample-traffic.test-support.js';
import { askTshark, fields, lacksTshark, why } from './tshark.test-support.js';

const good = sampleTraffic(300, 11);
const seed = 20261121;

/** Changed bytes of a valid frame, most of them in its headers; some frames are cut by the capture, some before it. */
const changed = fc
  .record({
    frame: fc.constantFrom(...good),
    changes: fc.array(
      fc.tuple(fc.oneof(fc.nat(60), fc.nat(120)), fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff, 0x80))),
      { maxLength: 5 },
    ),
    cut: fc.option(fc.nat(150), { freq: 4 }),
  })
  .map(({ frame, changes, cut }) => {
    const bytes = frame.slice();
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return cut === null ? bytes : bytes.subarray(0, Math.max(14, Math.min(cut, bytes.length)));
  });

const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/(.{4})(?=.)/g, '$1:'),
);
const payload = fc.uint8Array({ maxLength: 90 });
const byte = fc.nat(255);

/** A chain of extension headers, the last of which leads to a protocol. */
const extended = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(0, 43, 44, 60), fc.nat(3)), { maxLength: 5 }),
    fc.constantFrom(6, 17, 58, 59),
    payload,
  )
  .map(([headers, protocol, rest]) => {
    const parts = headers.map(([kind, length], index) => {
      const next = headers[index + 1]?.[0] ?? protocol;
      if (kind === 44) return join(number(next, 1), '00 0000 00000001');
      // Padding of this length (RFC 8200 4.2), or a routing header of an unknown type without segments left (4.4)
      const size = (length + 1) * 8 - 4;
      return join(
        number(next, 1),
        number(length, 1),
        kind === 43 ? '6300' : join('01', number(size, 1)),
        new Uint8Array(size),
      );
    });
    return { nextHeader: headers[0]?.[0] ?? protocol, payload: join(...parts, rest) };
  });

const made = fc.oneof(
  fc
    .tuple(address, address, byte, extended)
    .map(([source, destination, hopLimit, { nextHeader, payload }]) =>
      ethernet({ type: 0x86dd }, ipv6({ source, destination, hopLimit, nextHeader }, payload)),
    ),
  fc
    .tuple(fc.nat(0xffff), fc.nat(0x3fff), fc.constantFrom(1, 6, 17, 47, 200), byte, fc.nat(10), payload)
    .map(([identification, fragment, protocol, ttl, words, rest]) =>
      ethernet(
        { type: 0x0800 },
        ipv4({ identification, fragment, protocol, ttl, options: '01'.repeat(4 * words) }, rest),
      ),
    ),
  fc
    .tuple(fc.constantFrom(1, 3, 128, 129, 130, 131, 133, 134, 135, 136, 137, 143), byte, payload)
    .map(([type, code, rest]) => ethernet({ type: 0x86dd }, ipv6({ nextHeader: 58 }, icmpv6(type, code, rest)))),
  fc
    .tuple(fc.constantFrom(0, 3, 5, 8, 11, 13, 42), byte, fc.nat(0xffff), fc.nat(0xffff), payload)
    .map(([type, code, id, sequence, rest]) =>
      ethernet({ type: 0x0800 }, ipv4({ protocol: 1 }, icmp(type, code, echo(id, sequence, rest)))),
    ),
  fc
    .tuple(fc.nat(0xffff), fc.array(fc.tuple(fc.constantFrom(0x8100, 0x88a8), fc.nat(0xffff)), { maxLength: 4 }))
    .map(([operation, tags]) =>
      ethernet(
        { type: 0x0806, tags },
        arp(operation, ['02:00:00:00:00:01', '10.0.0.1'], ['ff:ff:ff:ff:ff:ff', '0.0.0.0']),
      ),
    ),
);

/** Files of other writers: both byte orders, both units of time, frames that were cut. */
const file = fc
  .record({
    bigEndian: fc.boolean(),
    nanoseconds: fc.boolean(),
    records: fc.array(
      fc.record({
        frame: fc.oneof(changed, made),
        seconds: fc.nat(0x7fffffff),
        fraction: fc.nat(999_999),
        more: fc.nat(2000),
      }),
      { maxLength: 12 },
    ),
    lost: fc.oneof(fc.constant(0), fc.nat(40)),
  })
  .map(({ bigEndian, nanoseconds, records, lost }) => {
    const word = (value: number): Uint8Array => (bigEndian ? number(value, 4) : number(value, 4).reverse());
    const version = bigEndian ? '0002 0004' : '0200 0400';
    const header = join(word(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4), version, word(0), word(0), word(262144), word(1));
    const bytes = join(
      header,
      ...records.map(({ frame, seconds, fraction, more }) =>
        join(...[seconds, fraction, frame.length, frame.length + more].map(word), frame),
      ),
    );
    return bytes.subarray(0, Math.max(24, bytes.length - lost));
  });

describe(`hostile frames, as tshark decodes them${why}`, function () {
  this.timeout(120_000);

  before(function () {
    if (lacksTshark()) this.skip();
  });

  for (const [what, arbitrary, count] of [
    ['good frames with bytes changed', changed, 3000],
    ['frames of rare fields', made, 3000],
  ] as const) {
    it(`${what}: what both understand is equal`, () => {
      const frames = fc.sample(arbitrary, { seed, numRuns: count });
      const pcap = join(pcapHeader(), ...frames.map((bytes, index) => pcapRecord(bytes, index)));
      const rows = askTshark(
        pcap,
        fields.map(([name]) => name),
        'f',
      );
      expect(rows).to.have.length(count);
      let compared = 0;
      const differences: string[] = [];
      for (const [index, bytes] of frames.entries()) {
        const frame = decodeFrame(bytes, index);
        for (const [column, [name, ours, read]] of fields.entries()) {
          // Within an error, tshark also decodes the ports of the quoted datagram.
          if (/^(udp|tcp)/.test(name) && frame.icmp) continue;
          const [own, text] = [ours(frame), rows[index]?.[column] ?? ''];
          if (own === undefined || text === '') continue;
          // For a length of 0 tshark shows the frame's length. This decoder does so only where the frame is too long
          // for the field.
          if (name === 'ip.len' && own === 0) continue;
          compared += 1;
          if (own !== read(text))
            differences.push(
              `frame ${index + 1}, ${name}: ${own}, tshark ${text}: ${describeFrame(frame)} ${Buffer.from(bytes).toString('hex')}`,
            );
        }
      }
      expect(differences.slice(0, 5).join('\n'), `${differences.length} differences`).to.equal('');
      expect(compared).to.be.above(8 * count);
    });
  }

  it('files of other writers: as many frames, of the same times and lengths', () => {
    for (const bytes of fc.sample(file, { seed, numRuns: 6 })) {
      const reader = new PcapReader();
      const frames: Frame[] = reader.push(bytes);
      let whole = true;
      try {
        reader.end();
      } catch (error) {
        expect(error).to.be.instanceOf(PcapError);
        whole = false;
      }
      const rows = askTshark(bytes, ['frame.time_epoch', 'frame.len', 'frame.cap_len'], 'f', whole);
      expect(frames.map(({ length, captured }) => [length, captured])).to.deep.equal(
        rows.map(([, length, captured]) => [Number(length), Number(captured)]),
      );
      for (const [index, { time }] of frames.entries())
        expect(Number(rows[index]?.[0])).to.be.closeTo(time / 1e6, 1e-6);
    }
  });
});
