import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import { ethernet, join } from './encode.js';

/** As sent by `ping 10.0.0.2`, with the padding of a short frame. */
const request = join(
  'ffffffffffff 020000000001 0806',
  '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002',
  new Uint8Array(18),
);

describe('decoding ARP', () => {
  it('reads a request', () => {
    expect(decodeFrame(request, 0).arp).to.deep.equal({
      operation: 'request',
      senderMac: '02:00:00:00:00:01',
      senderIp: '10.0.0.1',
      targetMac: '00:00:00:00:00:00',
      targetIp: '10.0.0.2',
    });
  });

  it('reads replies and other operations', () => {
    expect(decodeFrame(request.with(21, 2), 0).arp?.operation).to.equal('reply');
    expect(decodeFrame(request.with(21, 9), 0).arp?.operation).to.equal('operation 9');
  });

  it('says where it is cut', () => {
    const frame = decodeFrame(request.subarray(0, 24), 0, 60);
    expect(frame).to.include({ malformed: 'ARP: 28 bytes expected, 10 captured', captured: 24, length: 60 });
    expect(frame.ethernet?.type).to.equal(0x0806);
    expect(frame.arp).to.equal(undefined);
  });

  it('leaves other kinds of address undecoded', () => {
    const infiniband = ethernet({ type: 0x0806 }, join('0020 0800 14 04 0001', new Uint8Array(48)));
    expect(decodeFrame(infiniband, 0).malformed).to.equal(
      'ARP: Ethernet and IPv4 addresses expected, hardware 32 of 20 bytes and protocol 0x800 of 4 seen',
    );
  });
});
