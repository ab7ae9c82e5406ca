/** Compares tshark's decoding of frames with this decoder's, field by field. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalIp } from './address.js';
import type { Frame } from './frame.js';

const installed = spawnSync('tshark', ['--version']).status === 0;
export const why = installed ? '' : ' (skipped: tshark is not installed; apt-get install tshark)';

/** Whether tshark is missing. @throws AssertionError with CI=true, where the set-up installs it (setup/tools.mjs) */
export function lacksTshark(): boolean {
  if (!installed) expect(process.env.CI, 'tshark is not installed, and CI promises it').not.to.equal('true');
  return !installed;
}

type Value = string | number | boolean | undefined;
const ip = (text: string): Value => canonicalIp(text);
export const flag = (text: string): Value => text === '1' || text === 'True';

/** Each of tshark's fields, the corresponding field here, and how its text is read. */
export const fields: readonly (readonly [
  name: string,
  ours: (frame: Frame) => Value,
  read: (text: string) => Value,
])[] = [
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
  // tshark counts four more bits, which are reserved except for one (RFC 9293, 3.1)
  ['tcp.flags', (frame) => frame.tcp?.flags, (text) => Number(text) & 0xff],
];
/** Fields that occur once per tag; the outer tag of 802.1ad has names of its own. */
export const tagFields = ['id', 'priority', 'dei'].flatMap((name) => [`ieee8021ad.${name}`, `vlan.${name}`]);

/**
 * One row of fields for each frame of a pcap.
 * @param occurrence the first of each field in a frame, or all with commas between
 * @param whole whether the file is complete: for a file that ends too early, tshark shows its frames, and reports the
 *   error
 */
export function askTshark(pcap: Uint8Array, names: readonly string[], occurrence: 'f' | 'a', whole = true): string[][] {
  const folder = mkdtempSync(path.join(tmpdir(), 'macvlab-tshark-'));
  try {
    const file = path.join(folder, 'traffic.pcap');
    writeFileSync(file, pcap);
    // Fragments are not reassembled, as in this decoder.
    const options = ['-n', '-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-T', 'fields'];
    const fields = names.flatMap((name) => ['-e', name]);
    const result = spawnSync('tshark', ['-r', file, ...options, '-E', `occurrence=${occurrence}`, ...fields], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    expect(result.status === 0, result.stderr).to.equal(whole);
    return result.stdout === ''
      ? []
      : result.stdout
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => line.split('\t'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
