import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalIp } from './address.js';
import { decodeFrame } from './decode.js';
import { describeFrame } from './describe.js';
import type { Frame } from './frame.js';
import { pcapHeader, pcapRecord } from './pcap-writer.js';
import { join } from './sample-frames.js';
import { sampleTraffic } from './sample-traffic.js';

const installed = spawnSync('tshark', ['--version']).status === 0;
const why = installed ? '' : ' (skipped: tshark is not installed; apt-get install tshark)';

type Value = string | number | boolean | undefined;
const ip = (text: string): Value => canonicalIp(text);
const flag = (text: string): Value => text === '1' || text === 'True';

/** Each of tshark's fields, what it is with us, and how its text is read. */
const fields: [name: string, ours: (frame: Frame) => Value, read: (text: string) => Value][] = [
  ['frame.len', (frame) => frame.length, Number],
  ['eth.dst', (frame) => frame.ethernet?.destination, String],
  ['eth.src', (frame) => frame.ethernet?.source, String],
  ['arp.opcode', ({ arp }) => arp && { request: 1, reply: 2 }[arp.operation as string], Number],
  ['arp.src.hw_mac', (frame) => frame.arp?.senderMac, String],
  ['arp.src.proto_ipv4', (frame) => frame.arp?.senderIp, ip],
  ['arp.dst.hw_mac', (frame) => frame.arp?.targetMac, String],
  ['arp.dst.proto_ipv4', (frame) => frame.arp?.targetIp, ip],
  ['ip.src', (frame) => frame.ipv4?.source, ip],
  ['ip.dst', (frame) => frame.ipv4?.destination, ip],
  ['ip.ttl', (frame) => frame.ipv4?.ttl, Number],
  ['ip.proto', (frame) => frame.ipv4?.protocol, Number],
  ['ip.id', (frame) => frame.ipv4?.identification, Number],
  ['ip.flags.mf', (frame) => frame.ipv4?.moreFragments, flag],
  ['ip.hdr_len', (frame) => frame.ipv4?.headerLength, Number],
  ['ip.len', (frame) => frame.ipv4?.totalLength, Number],
  ['icmp.type', ({ icmp }) => (icmp?.version === 4 ? icmp.type : undefined), Number],
  ['icmp.code', ({ icmp }) => (icmp?.version === 4 ? icmp.code : undefined), Number],
  ['icmp.ident', ({ icmp }) => (icmp?.version === 4 ? icmp.identifier : undefined), Number],
  ['icmp.seq', ({ icmp }) => (icmp?.version === 4 ? icmp.sequence : undefined), Number],
  ['ipv6.src', (frame) => frame.ipv6?.source, ip],
  ['ipv6.dst', (frame) => frame.ipv6?.destination, ip],
  ['ipv6.hlim', (frame) => frame.ipv6?.hopLimit, Number],
  ['ipv6.plen', (frame) => frame.ipv6?.payloadLength, Number],
  ['icmpv6.type', ({ icmp }) => (icmp?.version === 6 ? icmp.type : undefined), Number],
  ['icmpv6.code', ({ icmp }) => (icmp?.version === 6 ? icmp.code : undefined), Number],
  ['icmpv6.echo.identifier', ({ icmp }) => (icmp?.version === 6 ? icmp.identifier : undefined), Number],
  ['icmpv6.echo.sequence_number', ({ icmp }) => (icmp?.version === 6 ? icmp.sequence : undefined), Number],
  ['icmpv6.nd.ns.target_address', ({ icmp }) => (icmp?.type === 135 ? icmp.target : undefined), ip],
  ['icmpv6.nd.na.target_address', ({ icmp }) => (icmp?.type === 136 ? icmp.target : undefined), ip],
  ['icmpv6.nd.na.flag.r', ({ icmp }) => icmp?.router, flag],
  ['icmpv6.nd.na.flag.s', ({ icmp }) => icmp?.solicited, flag],
  ['icmpv6.nd.na.flag.o', ({ icmp }) => icmp?.override, flag],
  ['icmpv6.opt.linkaddr', ({ icmp }) => icmp?.linkLayerAddress, String],
  ['icmpv6.mldr.mar.multicast_address', ({ icmp }) => icmp?.groups?.[0], ip],
  ['udp.srcport', (frame) => frame.udp?.source, Number],
  ['udp.dstport', (frame) => frame.udp?.destination, Number],
  ['tcp.srcport', (frame) => frame.tcp?.source, Number],
  ['tcp.dstport', (frame) => frame.tcp?.destination, Number],
  ['tcp.flags', (frame) => frame.tcp?.flags, Number],
];
/** Fields that occur once per tag; the outer tag of 802.1ad has names of its own. */
const tagFields = ['id', 'priority', 'dei'].flatMap((name) => [`ieee8021ad.${name}`, `vlan.${name}`]);

describe(`decoding as tshark does${why}`, function () {
  this.timeout(60_000);
  const traffic = sampleTraffic(3000, 42);

  /** One row of fields for each frame. */
  function askTshark(names: string[], occurrence: 'f' | 'a'): string[][] {
    const folder = mkdtempSync(path.join(tmpdir(), 'macvlab-tshark-'));
    try {
      const file = path.join(folder, 'traffic.pcap');
      writeFileSync(file, join(pcapHeader(), ...traffic.map((bytes, index) => pcapRecord(bytes, index))));
      // Fragments stand for themselves here, as they do with us.
      const options = ['-n', '-o', 'ip.defragment:FALSE', '-T', 'fields', '-E', `occurrence=${occurrence}`];
      const result = spawnSync('tshark', ['-r', file, ...options, ...names.flatMap((name) => ['-e', name])], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      expect(result.status, result.stderr).to.equal(0);
      return result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  before(function () {
    if (!installed) this.skip();
  });

  it('addresses, ARP, IP, ICMP and ports of 3000 mixed frames', () => {
    const rows = askTshark(
      fields.map(([name]) => name),
      'f',
    );
    expect(rows).to.have.length(traffic.length);
    const unseen = fields.filter((_, column) => rows.every((row) => !row[column])).map(([name]) => name);
    expect(unseen, 'fields that no frame has, so that nothing was compared').to.deep.equal([]);
    for (const [index, bytes] of traffic.entries()) {
      const frame = decodeFrame(bytes, index);
      for (const [column, [name, ours, read]] of fields.entries()) {
        // Within an error, tshark goes on to the ports of the quoted datagram.
        if (/^(udp|tcp)/.test(name) && frame.icmp) continue;
        const text = rows[index]?.[column] ?? '';
        const what = `frame ${index + 1}, ${name}: ${describeFrame(frame)}`;
        expect(ours(frame), what).to.equal(text === '' ? undefined : read(text));
      }
    }
  });

  it('the tags of 3000 mixed frames', () => {
    const rows = askTshark(tagFields, 'a');
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
