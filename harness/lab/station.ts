/** Who can send and be reached in a lab: a node at its uplink, or an endpoint at its macvlan child. */
import { BlockList, isIPv4 } from 'node:net';
import type { NetworkStack } from '../remote/network-stack.js';
import type { CapturePoint, View } from '../wire/capture-point.js';
import type { Port } from './far-end.js';

export interface Station {
  /** "node1", "ns1" */
  readonly name: string;
  readonly stack: NetworkStack;
  /** The interface that it speaks through. */
  readonly device: string;
  /** In CIDR form. */
  readonly addresses: readonly string[];
  /** MAC address of `device`. */
  readonly mac: string;
  /** Where its frames are captured, on its own side. */
  readonly wire: CapturePoint;
  /** The switch port that its node is connected to; undefined for who is not on the switch. */
  readonly port: Port | undefined;
  /** The node that it lives on: two stations of one node share its uplink. */
  readonly host: string;
  /** Of an endpoint: its child's macvlan mode, and the device that the child sits on. */
  readonly mode?: string | undefined;
  readonly parent?: string | undefined;
}

export type Family = 4 | 6;

/** A station's address of a family, without prefix length; the one in the peer's subnet when there are several. */
export function addressOf(station: Station, family: Family = 4, peer?: Station): string {
  const candidates = station.addresses.filter((cidr) => (isIPv4(withoutPrefix(cidr)) ? 4 : 6) === family);
  const near =
    peer && candidates.find((cidr) => peer.addresses.some((other) => sameSubnet(cidr, withoutPrefix(other))));
  const chosen = near ?? candidates[0];
  if (chosen === undefined) throw new TypeError(`${station.name} has no IPv${family} address`);
  return withoutPrefix(chosen);
}

/** An address without its prefix length. */
export function withoutPrefix(cidr: string): string {
  return cidr.split('/')[0] ?? cidr;
}

function sameSubnet(cidr: string, address: string): boolean {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if ((isIPv4(withoutPrefix(cidr)) ? 'ipv4' : 'ipv6') !== family) return false;
  const subnet = new BlockList();
  subnet.addSubnet(withoutPrefix(cidr), Number(cidr.split('/')[1] ?? (family === 'ipv4' ? 32 : 128)), family);
  return subnet.check(address, family);
}

/** Whether a station asks for the other on its own wire, rather than a gateway. */
export function isOnLink(from: Station, to: Station, family: Family): boolean {
  const own = from.addresses.filter((cidr) => (isIPv4(withoutPrefix(cidr)) ? 4 : 6) === family);
  return own.some((cidr) => sameSubnet(cidr, addressOf(to, family, from)));
}

/**
 * Whether what becomes of a frame depends on whether the switch sends it back through the port by which it came: both are behind that
 * port, and the kernel does not hand frames from one to the other itself.
 */
export function needsReflection(from: Station, to: Station): boolean {
  return from.host === to.host && from.stack !== to.stack && !staysInParent(from, to);
}

/** The capture views that a frame passes from one station to another, sender first. */
export function pathBetween(from: Station, to: Station): View[] {
  const direct = from.host === to.host && from.stack !== to.stack && staysInParent(from, to);
  if (direct) return [from.wire, to.wire];
  const arrival = to.wire.isDirected ? to.wire.in : to.wire;
  const departure = from.wire.isDirected ? from.wire.out : from.wire;
  return [departure, ...(from.port ? [from.port.in] : []), ...(to.port ? [to.port.out] : []), arrival];
}

/**
 * Whether the kernel hands frames between the two without sending them (macvlan.c, macvlan_queue_xmit): between children of
 * one device, which those of two VLANs of an uplink are not.
 */
function staysInParent(from: Station, to: Station): boolean {
  return from.mode === 'bridge' && to.mode === 'bridge' && from.parent === to.parent;
}
