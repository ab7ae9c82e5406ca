import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalIp, canonicalMac, formatIpv6, parseIp } from './address.js';

describe('addresses', () => {
  const forms: [written: string, canonical: string][] = [
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['::FFFF:10.0.0.1', '::ffff:10.0.0.1'],
    ['::ffff:0a00:0001', '::ffff:10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['10.0.0.1', '10.0.0.1'],
  ];
  for (const [written, canonical] of forms) {
    it(`${written} is ${canonical} (RFC 5952)`, () => expect(canonicalIp(written)).to.equal(canonical));
  }

  for (const text of ['', '10.0.0', '10.0.0.256', '010.0.0.1', 'fe80::1%eth0', ':::', 'node1']) {
    it(`"${text}" is refused`, () => expect(() => canonicalIp(text)).to.throw(TypeError, `"${text}"`));
  }

  it('any IPv6 address survives being written and read', () => {
    const word = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(word, { minLength: 16, maxLength: 16 }),
        (any, few) => {
          for (const bytes of [any, Uint8Array.from(few)]) {
            const text = formatIpv6(bytes, 0);
            expect(parseIp(text)).to.deep.equal(bytes);
            // Node's URL parser writes the same form, except for mapped addresses.
            if (!text.includes('.')) expect(new URL(`http://[${text}]`).hostname).to.equal(`[${text}]`);
          }
        },
      ),
    );
  });

  it('a MAC is put in lower case, and anything else refused', () => {
    expect(canonicalMac('02:AB:cd:00:00:01')).to.equal('02:ab:cd:00:00:01');
    for (const text of ['02:ab', '2:ab:cd:00:00:01', '02-ab-cd-00-00-01', '02:ab:cd:00:00:0g']) {
      expect(() => canonicalMac(text)).to.throw(TypeError, text);
    }
  });
});
