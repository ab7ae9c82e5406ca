import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import type { IcmpMessage } from './frame.js';
import { echo, ethernet, icmp, ipv4, join } from './encode.js';

const decode = (message: Uint8Array): IcmpMessage | undefined =>
  decodeFrame(ethernet({ type: 0x0800 }, ipv4({ protocol: 1 }, message)), 0).icmp;

describe('decoding ICMP', () => {
  it('reads an echo with its data', () => {
    expect(decode(icmp(8, 0, echo(0x1234, 2, join('c0ffee'))))).to.deep.equal({
      ...{ version: 4, type: 8, code: 0, kind: 'echo request' },
      ...{ identifier: 0x1234, sequence: 2, payload: join('c0ffee') },
    });
    expect(decode(icmp(0, 0, echo(1, 2, join(''))))).to.include({ kind: 'echo reply', sequence: 2 });
  });

  it('keeps 64 bytes of data, which stay when the captured bytes are overwritten', () => {
    const bytes = ethernet(
      { type: 0x0800 },
      ipv4({ protocol: 1 }, icmp(8, 0, echo(1, 1, new Uint8Array(100).fill(5)))),
    );
    const { icmp: message } = decodeFrame(bytes, 0);
    bytes.fill(0);
    expect(message?.payload).to.deep.equal(new Uint8Array(64).fill(5));
  });

  it('reads the gateway of a redirect', () => {
    expect(decode(icmp(5, 1, join('0a0000fe')))).to.include({ kind: 'redirect', code: 1, target: '10.0.0.254' });
  });

  const kinds = {
    3: 'unreachable',
    9: 'router advertisement',
    10: 'router solicitation',
    11: 'time exceeded',
    13: 'other',
  };
  for (const [type, kind] of Object.entries(kinds)) {
    it(`type ${type} is ${kind}`, () => {
      expect(decode(icmp(Number(type), 3, join('00000000')))).to.deep.equal({
        version: 4,
        type: Number(type),
        code: 3,
        kind,
      });
    });
  }
});
