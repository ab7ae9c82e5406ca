/** ARP (RFC 826), for Ethernet and IPv4 addresses only. */
import { formatIpv4, formatMac } from './address.js';
import { uint16 } from './bytes.js';
import type { ArpMessage, Frame } from './frame.js';
import { isShort } from './rest.js';
import type { Rest } from './rest.js';

/** Decodes an ARP message. A message with other kinds of address stays undecoded, with that reason. */
export function decodeArp(frame: Frame, rest: Rest): void {
  if (isShort(frame, 'ARP', 8, rest)) return;
  const { bytes, at } = rest;
  const hardware = uint16(bytes, at);
  const protocol = uint16(bytes, at + 2);
  const sizes = uint16(bytes, at + 4);
  if (hardware !== 1 || protocol !== 0x0800 || sizes !== 0x0604) {
    const seen = `hardware ${hardware} of ${sizes >> 8} bytes and protocol 0x${protocol.toString(16)} of ${sizes & 0xff}`;
    frame.malformed = `ARP: Ethernet and IPv4 addresses expected, ${seen} seen`;
    return;
  }
  if (isShort(frame, 'ARP', 28, rest)) return;
  frame.arp = {
    operation: operationName(uint16(bytes, at + 6)),
    senderMac: formatMac(bytes, at + 8),
    senderIp: formatIpv4(bytes, at + 14),
    targetMac: formatMac(bytes, at + 18),
    targetIp: formatIpv4(bytes, at + 24),
  };
}

function operationName(operation: number): ArpMessage['operation'] {
  if (operation === 1) return 'request';
  return operation === 2 ? 'reply' : `operation ${operation}`;
}
