/** Ethernet II and 802.3 framing, with 802.1Q and 802.1ad tags. */
import { formatMac } from './address.js';
import { decodeArp } from './arp.js';
import { uint16 } from './bytes.js';
import type { Frame } from './frame.js';
import { decodeIpv4 } from './ipv4.js';
import { decodeIpv6 } from './ipv6.js';
import { isShort, onWire } from './rest.js';
import type { Rest } from './rest.js';

/** More tags than any network stacks; without this limit, a frame of only tags would be decoded to its last byte. */
const mostTags = 8;
/** IEEE 802.3 3.2.6: up to 1500 it is a length, from 1536 a type; values between are undefined. */
const largestLength = 1500;
const smallestType = 1536;

/** Decodes the Ethernet header, the tags and their payload. */
export function decodeEthernet(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'Ethernet', 14, rest)) return;
  const { bytes, at } = rest;
  const ethernet = {
    destination: formatMac(bytes, at),
    source: formatMac(bytes, at + 6),
    type: uint16(bytes, at + 12),
  };
  frame.ethernet = ethernet;
  rest.at += 14;
  while (isTag(ethernet.type)) {
    if (frame.vlans.length === mostTags) {
      frame.malformed = `VLAN: at most ${mostTags} tags expected, and there are more`;
      return;
    }
    if (isShort(frame, 'VLAN tag', 4, rest)) return;
    const control = uint16(bytes, rest.at);
    frame.vlans.push({
      protocol: ethernet.type,
      id: control & 0xfff,
      priority: control >> 13,
      dropEligible: (control & 0x1000) !== 0,
    });
    ethernet.type = uint16(bytes, rest.at + 2);
    rest.at += 4;
  }
  decodePayload(frame, ethernet.type, rest);
}

/** 802.1Q, 802.1ad, and the type for stacked tags before 802.1ad. */
function isTag(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100;
}

function decodePayload(frame: Frame, type: number, rest: Rest): void {
  if (type === 0x0800) decodeIpv4(frame, rest);
  else if (type === 0x0806) decodeArp(frame, rest);
  else if (type === 0x86dd) decodeIpv6(frame, rest);
  else if (type <= largestLength) {
    if (type > onWire(rest)) frame.malformed = `802.3: ${type} bytes expected, ${onWire(rest)} on the wire`;
  } else if (type < smallestType) frame.malformed = `Ethernet: a type or a length expected, ${type} is neither`;
}
