/** MAC addresses and interface indexes of a lab's own links. */

import { randomBytes } from 'crypto';

/** A random unicast, locally administered MAC address, so that each interface of each lab has a different one. */
export function randomMac(): string {
  return ['02', ...(randomBytes(5).toString('hex').match(/../g) ?? [])].join(':');
}
/**
 * The first interface index of the switch's ports (and of the router's inner interface). It differs from the indexes
 * that the kernel counts from 1 in every namespace. If both ends of a veth pair have the same index, the kernel does
 * not detect the link. Then it reports the carrier up to a second late (link_watch.c, linkwatch_urgent_event).
 */
export const firstIndex = 101;
