/** Mixed traffic of a lab, the same for the same seed; for tests and measurements. */
import { arp, echo, ethernet, icmp, icmpv6, ipv4, ipv6, join, linkLayerOption, number } from './encode.js';
import { parseIp } from './address.js';
import type { EthernetSample } from './encode.js';

/** A whole number from 0, less than `below`. */
type Random = (below: number) => number;

/** `count` well-formed frames of every protocol that is decoded. */
export function sampleTraffic(count: number, seed: number): Uint8Array[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, index) => {
    const make = makers[random(makers.length)] ?? arpFrame;
    return make(random, index);
  });
}

/** Mulberry32: small, and sufficient to vary frames. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const mac = (random: Random): string => `02:00:00:00:00:${number8(random(40))}`;
const number8 = (value: number): string => value.toString(16).padStart(2, '0');
const ip4 = (random: Random): string => `10.0.${random(3)}.${1 + random(250)}`;
const ip6 = (random: Random): string => {
  const prefix = ['fe80::', '2001:db8::1:', '2001:db8:0:1::'][random(3)] ?? '';
  return `${prefix}${(1 + random(0xfffe)).toString(16)}`;
};

/** Untagged, tagged, or tagged twice. */
function header(random: Random, type: number, destination = mac(random)): EthernetSample {
  const tag = (): number => (random(8) << 13) | (random(2) << 12) | (1 + random(4094));
  const tags: [number, number][][] = [
    [],
    [],
    [],
    [[0x8100, tag()]],
    [
      [0x88a8, tag()],
      [0x8100, tag()],
    ],
  ];
  return { source: mac(random), destination, type, tags: tags[random(tags.length)] ?? [] };
}

function arpFrame(random: Random): Uint8Array {
  const sender: [string, string] = [mac(random), ip4(random)];
  if (random(2) === 0) {
    return ethernet(header(random, 0x0806, 'ff:ff:ff:ff:ff:ff'), arp(1, sender, ['00:00:00:00:00:00', ip4(random)]));
  }
  return ethernet(header(random, 0x0806), arp(2, sender, [mac(random), ip4(random)]));
}

function data(random: Random): Uint8Array {
  return Uint8Array.from({ length: random(80) }, () => random(256));
}

function echoFrame(random: Random, index: number): Uint8Array {
  const message = icmp(random(2) * 8, 0, echo(random(0x10000), index & 0xffff, data(random)));
  const addresses = { source: ip4(random), destination: ip4(random), ttl: 1 + random(255) };
  const options = random(6) === 0 ? '94040000' : '';
  return ethernet(
    header(random, 0x0800),
    ipv4({ ...addresses, protocol: 1, identification: random(0x10000), options }, message),
  );
}

function errorFrame(random: Random): Uint8Array {
  const quoted = ipv4({ protocol: 17 }, join('1234 0035 0008 0000'));
  const [type = 3, code = 1] = [[3, 1] as const, [11, 0] as const, [3, 3] as const][random(3)] ?? [];
  const message = icmp(type, code, join('00000000', quoted));
  return ethernet(
    header(random, 0x0800),
    ipv4({ source: ip4(random), destination: ip4(random), protocol: 1 }, message),
  );
}

function fragmentFrame(random: Random): Uint8Array {
  const offset = 1 + random(100);
  const ip = { source: ip4(random), destination: ip4(random), protocol: 17, fragment: offset | (random(2) << 13) };
  return ethernet(header(random, 0x0800), ipv4({ ...ip, identification: random(0x10000) }, data(random)));
}

function datagramFrame(random: Random): Uint8Array {
  const content = data(random);
  const udp = join(
    number(1024 + random(60000), 2),
    number(40000 + random(1000), 2),
    number(8 + content.length, 2),
    '0000',
  );
  const payload = join(udp, content);
  if (random(2) === 0) {
    return ethernet(
      header(random, 0x0800),
      ipv4({ source: ip4(random), destination: ip4(random), protocol: 17 }, payload),
    );
  }
  return ethernet(
    header(random, 0x86dd),
    ipv6({ source: ip6(random), destination: ip6(random), nextHeader: 17 }, payload),
  );
}

function segmentFrame(random: Random): Uint8Array {
  const ports = join(number(1024 + random(60000), 2), number(40000 + random(1000), 2));
  const tcp = join(
    ports,
    number(random(1e9), 4),
    number(random(1e9), 4),
    '50',
    number(random(64), 1),
    '0400 0000 0000',
  );
  return ethernet(header(random, 0x0800), ipv4({ source: ip4(random), destination: ip4(random), protocol: 6 }, tcp));
}

function echo6Frame(random: Random, index: number): Uint8Array {
  const message = icmpv6(128 + random(2), 0, echo(random(0x10000), index & 0xffff, data(random)));
  // Destination options of eight bytes: the next header, length 0, a PadN option.
  const extended = random(5) === 0 ? { nextHeader: 60, payload: join('3a00 0104 00000000', message) } : undefined;
  const ip = { source: ip6(random), destination: ip6(random), hopLimit: 1 + random(255) };
  return ethernet(
    header(random, 0x86dd),
    ipv6({ ...ip, nextHeader: extended?.nextHeader ?? 58 }, extended?.payload ?? message),
  );
}

function neighbourFrame(random: Random): Uint8Array {
  const target = ip6(random);
  if (random(2) === 0) {
    const message = icmpv6(135, 0, join('00000000', parseIp(target), linkLayerOption(1, mac(random))));
    const ip = { source: ip6(random), destination: 'ff02::1:ff00:1', nextHeader: 58 };
    return ethernet(header(random, 0x86dd, '33:33:ff:00:00:01'), ipv6(ip, message));
  }
  const flags = number(random(8) << 5, 1);
  const message = icmpv6(136, 0, join(flags, '000000', parseIp(target), linkLayerOption(2, mac(random))));
  return ethernet(header(random, 0x86dd), ipv6({ source: target, destination: ip6(random), nextHeader: 58 }, message));
}

function listenerFrame(random: Random): Uint8Array {
  const record = join('04 00 0000', parseIp(`ff02::1:ff00:${(1 + random(0xfffe)).toString(16)}`));
  const message = icmpv6(143, 0, join('0000 0001', record));
  // Hop-by-hop options with a router alert (RFC 2711) precede every listener report.
  const payload = join('3a00 0502 0000 0100', message);
  const ip = { source: 'fe80::1', destination: 'ff02::16', hopLimit: 1, nextHeader: 0 };
  return ethernet(header(random, 0x86dd, '33:33:00:00:00:16'), ipv6(ip, payload));
}

const makers: ((random: Random, index: number) => Uint8Array)[] = [
  arpFrame,
  echoFrame,
  errorFrame,
  fragmentFrame,
  datagramFrame,
  segmentFrame,
  echo6Frame,
  neighbourFrame,
  listenerFrame,
];
