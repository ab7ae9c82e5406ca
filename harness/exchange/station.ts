/** A station sends and receives in a lab: a node with its uplink, or an endpoint with its macvlan child. */
import { isIPv4 } from 'node:net';
import { isWithin } from '../core/cidr.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { CapturePoint, View } from '../wire/capture-point.js';
import type { Port } from './link-peer-port.js';

export interface Station {
  /** "node1", "ns1" */
  readonly name: string;
  readonly stack: NetworkStack;
  /** The interface with which it sends and receives. */
  readonly device: string;
  /** In CIDR form. */
  readonly addresses: readonly string[];
  /** MAC address of `device`. */
  readonly mac: string;
  /** The capture point at `device`. */
  readonly wire: CapturePoint;
  /** The switch port that its node is connected to; undefined if it is not connected to the switch. */
  readonly port: Port | undefined;
  /** The name of its node: stations of one node share its uplink. */
  readonly host: string;
  /** Only for an endpoint: the macvlan mode of its child, and the parent of the child. */
  readonly mode?: string | undefined;
  readonly parent?: string | undefined;
}

export type Family = 4 | 6;

/** A station's address of a family, without prefix length; the one in the peer's subnet when there are several. */
export function addressOf(station: Station, family: Family = 4, peer?: Station): string {
  const candidates = station.addresses.filter((cidr) => (isIPv4(withoutPrefix(cidr)) ? 4 : 6) === family);
  const near = peer && candidates.find((cidr) => peer.addresses.some((other) => isWithin(withoutPrefix(other), cidr)));
  const chosen = near ?? candidates[0];
  if (chosen === undefined) throw new TypeError(`${station.name} has no IPv${family} address`);
  return withoutPrefix(chosen);
}

/** An address without its prefix length. */
export function withoutPrefix(cidr: string): string {
  return cidr.split('/')[0] ?? cidr;
}

/** Whether a station resolves the other's address directly, instead of sending to a gateway. */
export function isOnLink(from: Station, to: Station, family: Family): boolean {
  const own = from.addresses.filter((cidr) => (isIPv4(withoutPrefix(cidr)) ? 4 : 6) === family);
  return own.some((cidr) => isWithin(addressOf(to, family, from), cidr));
}

/**
 * Whether a frame between two stations arrives only if the switch reflects it: both stations use the same port, and the kernel does not
 * forward frames between them itself.
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
 * Whether the kernel forwards frames between two stations without sending them (macvlan.c, macvlan_queue_xmit). Both are children of one
 * parent in mode bridge. Children of two VLAN sub-interfaces have different parents.
 */
function staysInParent(from: Station, to: Station): boolean {
  return from.mode === 'bridge' && to.mode === 'bridge' && from.parent === to.parent;
}
