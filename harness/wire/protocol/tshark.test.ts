import { expect } from 'chai';
import { decodeFrame } from './decode.js';
import { describeFrame } from './describe.js';
import { pcapHeader, pcapRecord } from '../pcap/pcap-writer.test-support.js';
import { join } from './encode.js';
import { sampleTraffic } from './sample-traffic.test-support.js';
import { askTshark, fields, flag, lacksTshark, tagFields, why } from './tshark.test-support.js';

describe(`decoding as tshark does${why}`, function () {
  this.timeout(60_000);
  const traffic = sampleTraffic(3000, 42);

  const pcap = join(pcapHeader(), ...traffic.map((bytes, index) => pcapRecord(bytes, index)));

  before(function () {
    if (lacksTshark()) this.skip();
  });

  it('addresses, ARP, IP, ICMP and ports of 3000 mixed frames', () => {
    const rows = askTshark(
      pcap,
      fields.map(([name]) => name),
      'f',
    );
    expect(rows).to.have.length(traffic.length);
    const unseen = fields.filter((_, column) => rows.every((row) => !row[column])).map(([name]) => name);
    expect(unseen, 'fields that no frame has, so that nothing was compared').to.deep.equal([]);
    for (const [index, bytes] of traffic.entries()) {
      const frame = decodeFrame(bytes, index);
      for (const [column, [name, ours, read]] of fields.entries()) {
        // Within an error, tshark also decodes the ports of the quoted datagram.
        if (/^(udp|tcp)/.test(name) && frame.icmp) continue;
        const text = rows[index]?.[column] ?? '';
        const what = `frame ${index + 1}, ${name}: ${describeFrame(frame)}`;
        expect(ours(frame), what).to.equal(text === '' ? undefined : read(text));
      }
    }
  });

  it('the tags of 3000 mixed frames', () => {
    const rows = askTshark(pcap, tagFields, 'a');
    expect(rows.filter((row) => row[0] && row[1])).not.to.have.length(0);
    for (const [index, bytes] of traffic.entries()) {
      const { vlans } = decodeFrame(bytes, index);
      const theirs = [0, 2, 4].map((column) =>
        [column, column + 1].flatMap((each) => rows[index]?.[each]?.split(',') ?? []),
      );
      const [ids = [], priorities = [], dropEligible = []] = theirs.map((values) => values.filter(Boolean));
      expect(ids.map(Number)).to.deep.equal(vlans.map(({ id }) => id));
      expect(priorities.map(Number)).to.deep.equal(vlans.map(({ priority }) => priority));
      expect(dropEligible.map(flag)).to.deep.equal(vlans.map((tag) => tag.dropEligible));
    }
  });
});
