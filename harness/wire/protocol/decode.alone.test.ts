import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFrame } from './decode.js';
import { describeFrame } from './describe.js';
import type { Frame } from './frame.js';
import { ethernet, icmpv6, ipv6, join } from './encode.js';
import { sampleTraffic } from './sample-traffic.test-support.js';

const traffic = sampleTraffic(300, 20261121);
const etherTypes = [0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x0026].map((type) =>
  join(type.toString(16).padStart(4, '0')),
);

/** The properties of any decoded frame, for any bytes. */
function expectSound(frame: Frame, bytes: Uint8Array): void {
  expect(frame.captured).to.equal(bytes.length);
  expect(frame.length).to.be.at.least(frame.captured);
  expect('ethernet' in frame).to.equal(bytes.length >= 14);
  if (frame.icmp?.payload) expect(frame.icmp.payload.length).to.be.at.most(64);
  expect(describeFrame(frame))
    .to.be.a('string')
    .that.does.not.match(/undefined|NaN/);
}

describe('decoding any bytes', () => {
  it('sample traffic is well-formed', () => {
    expect(traffic.map((bytes) => decodeFrame(bytes, 0).malformed).filter(Boolean)).to.deep.equal([]);
  });

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (bytes, length) => {
        expectSound(decodeFrame(bytes, 0, length), bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('random bytes after a known ethertype', () => {
    fc.assert(
      fc.property(fc.constantFrom(...etherTypes), fc.uint8Array({ maxLength: 200 }), (type, rest) => {
        const bytes = join(new Uint8Array(12), type, rest);
        expectSound(decodeFrame(bytes, 0), bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('good frames with some bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...traffic), changes, (good, changed) => {
        const bytes = good.slice();
        for (const [at, value] of changed) if (at < bytes.length) bytes[at] = value;
        expectSound(decodeFrame(bytes, 0), bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('cut at each byte: what is still decoded is what the whole frame says, or the frame is malformed', () => {
    for (const bytes of traffic) {
      const whole = decodeFrame(bytes, 0);
      for (let captured = 0; captured < bytes.length; captured++) {
        const cut = bytes.subarray(0, captured);
        const frame = decodeFrame(cut, 0, bytes.length);
        expectSound(frame, cut);
        if (frame.malformed === undefined) {
          const payload = frame.icmp?.payload;
          const icmp = payload && { icmp: { ...frame.icmp, payload: whole.icmp?.payload } };
          expect({ ...frame, captured: bytes.length, ...icmp }).to.deep.equal(whole);
          if (payload) expect(payload).to.deep.equal(whole.icmp?.payload?.subarray(0, payload.length));
        } else {
          for (const layer of ['arp', 'ipv4', 'udp', 'tcp'] as const) {
            if (frame[layer]) expect(frame[layer]).to.deep.equal(whole[layer]);
          }
        }
      }
    }
  });

  it('short on the wire, too: every frame that lost bytes is malformed or lost nothing but padding', () => {
    for (const bytes of traffic) {
      const frame = decodeFrame(bytes.subarray(0, bytes.length - 1), 0);
      expect(frame.malformed, describeFrame(frame)).to.match(/expected, \d+ (on the wire|captured)$/);
    }
  });

  it('hostile frames of the greatest length take no long time', () => {
    const size = 65000;
    const big = (payload: Uint8Array): Uint8Array => ethernet({ type: 0x86dd }, ipv6({ nextHeader: 58 }, payload));
    const hostile = [
      ethernet({ type: 0x8100 }, join('8100'.repeat(size / 2))),
      ethernet({ type: 0x86dd }, ipv6({ nextHeader: 60 }, join('3c00010400000000'.repeat(size / 8)))),
      big(icmpv6(135, 0, join(new Uint8Array(20), '0e01000000000000'.repeat(size / 8)))),
      big(icmpv6(135, 0, join(new Uint8Array(20), '0101020000000001'.repeat(size / 8)))),
      big(icmpv6(143, 0, join('0000ffff', '04000000ff020000000000000000000000000001'.repeat(size / 20)))),
    ];
    const started = performance.now();
    for (const bytes of hostile) for (let round = 0; round < 10; round++) expectSound(decodeFrame(bytes, 0), bytes);
    expect(performance.now() - started).to.be.below(2000);
  });
});
