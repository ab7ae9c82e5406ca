import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { needs } from '../../setup/needs.test-support.js';
import { join } from '../protocol/encode.js';
import { sampleTraffic } from '../protocol/sample-traffic.test-support.js';
import { PcapngFile } from './pcapng-file.js';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  sectionHeader,
} from './pcapng-writer.js';

interface Block {
  type: number;
  content: Buffer;
}

/** Reads blocks as the draft describes them, with nothing from the writer. */
function blocksOf(bytes: Uint8Array): Block[] {
  const file = Buffer.from(bytes);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4, 'a length is a multiple of 4').to.equal(0);
    expect(file.readUInt32LE(at + length - 4), 'the length at the end').to.equal(length);
    blocks.push({ type: file.readUInt32LE(at), content: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** Options, or name records, up to their end: [code, value]. */
function optionsOf(content: Buffer, from: number): [number, Buffer][] {
  const options: [number, Buffer][] = [];
  for (let at = from; at < content.length;) {
    const [code, length] = [content.readUInt16LE(at), content.readUInt16LE(at + 2)];
    if (code === 0) {
      expect(at + 4, 'nothing follows the end of options').to.equal(content.length);
      return options;
    }
    options.push([code, content.subarray(at + 4, at + 4 + length)]);
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  if (options.length > 0) throw new Error('the options have no end');
  return options;
}

function only(bytes: Uint8Array): Block {
  const [block, ...others] = blocksOf(bytes);
  expect(others).to.deep.equal([]);
  return block!;
}

const hostile = 'ns1 "é" 名前\n\u001b[31m$(reboot)\t\u202e';

describe('pcapng blocks', () => {
  it('a section header: version 1.0, open length, texts as options', () => {
    const { type, content } = only(
      sectionHeader({ comments: ['one', hostile], hardware: 'x64', os: 'Linux 6', application: 'macvlab 1' }),
    );
    expect(type).to.equal(0x0a0d0d0a);
    expect(content.subarray(0, 16).toString('hex')).to.equal('4d3c2b1a01000000ffffffffffffffff');
    expect(optionsOf(content, 16).map(([code, value]) => [code, value.toString()])).to.deep.equal([
      [1, 'one'],
      [1, hostile],
      [2, 'x64'],
      [3, 'Linux 6'],
      [4, 'macvlab 1'],
    ]);
  });

  it('an interface: Ethernet, snapshot length 262144, name, addresses, nanoseconds', () => {
    const about = { name: 'switch/node1 in', description: hostile, mac: '02:00:00:00:00:01', filter: 'not tcp' };
    const addresses = ['10.0.0.1/23', 'fd00::1/64', '10.0.0.9'];
    const { type, content } = only(interfaceDescription({ ...about, addresses, os: 'Linux 6' }));
    expect(type).to.equal(1);
    expect([content.readUInt16LE(0), content.readUInt32LE(4)]).to.deep.equal([1, 262144]);
    expect(optionsOf(content, 8).map(([code, value]) => [code, value.toString('hex')])).to.deep.equal([
      [2, Buffer.from(about.name).toString('hex')],
      [3, Buffer.from(hostile).toString('hex')],
      [4, '0a000001fffffe00'],
      [5, 'fd00000000000000000000000000000140'],
      [4, '0a000009ffffffff'],
      [6, '020000000001'],
      [9, '09'],
      [11, `00${Buffer.from('not tcp').toString('hex')}`],
      [12, Buffer.from('Linux 6').toString('hex')],
    ]);
  });

  it('a packet: nanoseconds, padding, both lengths, direction, packet id, comments', () => {
    // A double keeps a quarter of a microsecond at present times.
    const time = 1_764_552_061_123_456.75;
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    const parts = { direction: 'out' as const, packetId: 2 ** 32 + 7, comments: ['a', 'b'] };
    const { type, content } = only(enhancedPacket({ ...{ interfaceId: 3, time, bytes, length: 1514 }, ...parts }));
    expect(type).to.equal(6);
    const high = BigInt(content.readUInt32LE(4));
    expect((high << 32n) | BigInt(content.readUInt32LE(8))).to.equal(1_764_552_061_123_456_750n);
    expect([0, 12, 16].map((at) => content.readUInt32LE(at))).to.deep.equal([3, 5, 1514]);
    expect(content.subarray(20, 28).toString('hex')).to.equal('0102030405000000');
    const [flags, id, ...comments] = optionsOf(content, 28);
    expect(flags).to.deep.equal([2, Buffer.from([2, 0, 0, 0])]);
    expect(id?.[1].readBigUInt64LE()).to.equal(2n ** 32n + 7n);
    expect(comments.map(([code, value]) => [code, value.toString()])).to.deep.equal([
      [1, 'a'],
      [1, 'b'],
    ]);
  });

  it('a packet that needs no option: the block has none', () => {
    expect(only(enhancedPacket({ interfaceId: 0, time: 0, bytes: new Uint8Array(4) })).content).to.have.lengthOf(24);
  });

  it('names: each ends with a zero, and has none within', () => {
    const { type, content } = only(
      nameResolution([
        ['10.0.0.1', 'ns\u00001'],
        ['fd00::1', hostile],
        ['02:00:00:00:00:01', 'ns1'],
      ]),
    );
    expect(type).to.equal(4);
    const [ipv4, ipv6, mac] = optionsOf(content, 0);
    expect(ipv4).to.deep.equal([1, Buffer.concat([Buffer.from([10, 0, 0, 1]), Buffer.from('ns\ufffd1\0')])]);
    expect(ipv6?.[1].subarray(16).toString()).to.equal(`${hostile}\0`);
    expect(mac).to.deep.equal([3, Buffer.concat([Buffer.from('020000000001', 'hex'), Buffer.from('ns1\0')])]);
  });

  it('statistics: those that are known', () => {
    const { type, content } = only(interfaceStatistics({ interfaceId: 2, time: 5, accepted: 9, osDropped: 0 }));
    expect(type).to.equal(5);
    expect([0, 4, 8].map((at) => content.readUInt32LE(at))).to.deep.equal([2, 0, 5000]);
    expect(optionsOf(content, 12).map(([code, value]) => [code, value.readBigUInt64LE()])).to.deep.equal([
      [6, 9n],
      [7, 0n],
    ]);
  });

  for (const shift of [0, 1, 2, 3]) {
    it(`a text that is too long, with characters of four bytes from byte ${shift}: UTF-8 that fits, with an ellipsis`, () => {
      const name = 'x'.repeat(shift) + '😀'.repeat(40_000);
      const [option] = optionsOf(only(interfaceDescription({ name })).content, 8);
      const value = option![1];
      expect(value.length).to.be.within(65_529, 65_535);
      const text = new TextDecoder('utf-8', { fatal: true }).decode(value);
      expect(text.endsWith('😀…')).to.equal(true);
    });
  }
});

describe('a pcapng file, read by other programs', () => {
  const points = ['switch/node1 in', `node1/${hostile}`, 'late', 'silent'];
  const frames = sampleTraffic(60, 7);
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'macvlab-pcapng-'));
    file = path.join(folder, 'a.pcapng');
    const blocks: Uint8Array[] = [];
    const pcapng = new PcapngFile((block) => blocks.push(block), { comments: [hostile], application: 'macvlab' });
    for (const name of points.slice(0, 2)) pcapng.interface({ name, description: hostile }, 'in');
    pcapng.names([['10.0.0.1', hostile]]);
    frames.forEach((bytes, index) => {
      if (index === 30) for (const name of points.slice(2)) pcapng.interface({ name });
      const interfaceId = index < 30 ? index % 2 : index % 3;
      // As with a snapshot length of 40.
      pcapng.packet({ interfaceId, time: 1e15 + index, bytes: bytes.subarray(0, 40), length: bytes.length });
    });
    for (const interfaceId of points.keys()) pcapng.statistics({ interfaceId, time: 1e15, osDropped: 0 });
    writeFileSync(file, join(...blocks));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const counted = [25, 25, 10, 0];

  it('tshark: frames per point, names in UTF-8, lengths of truncated frames, one packet id each', function () {
    needs(this, 'tshark');
    const fields = ['frame.interface_name', 'frame.interface_id', 'frame.len', 'frame.cap_len', 'frame.packet_id'];
    const args = fields.flatMap((field) => ['-e', field]);
    const { stdout, status } = spawnSync('tshark', ['-r', file, '-T', 'fields', '-E', 'separator=|', ...args], {
      encoding: 'utf8',
    });
    expect(status).to.equal(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|'));
    expect(points.map((_, id) => rows.filter((row) => row[1] === String(id)).length)).to.deep.equal(counted);
    expect(rows[1]?.[0]).to.include('é').and.to.include('名前');
    expect(rows.map((row) => Number(row[2]))).to.deep.equal(frames.map(({ length }) => length));
    expect(rows.map((row) => Number(row[3]))).to.deep.equal(frames.map(({ length }) => Math.min(40, length)));
    expect(rows.every((row) => Number(row[4]) > 0)).to.equal(true);
  });

  it('capinfos: frames per point, and no damage', function () {
    needs(this, 'capinfos');
    const { stdout, stderr, status } = spawnSync('capinfos', ['-M', file], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    const counts = [...stdout.matchAll(/^ +Number of packets = (\d+)/gm)].map(([, count]) => Number(count));
    expect(counts).to.deep.equal(counted);
  });

  it('tcpdump: all frames', function () {
    needs(this, 'tcpdump');
    const { stdout, stderr, status } = spawnSync('tcpdump', ['-n', '--count', '-r', file], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    expect(stdout + stderr).to.match(/^60 packets$/m);
  });
});
