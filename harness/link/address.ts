/** IP addresses of devices. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { type LinkInfo, parseLink, showLink } from './link-info.js';

/**
 * Adds an address in CIDR form ("10.0.0.1/24", "2001:db8::1/64"). IPv6 addresses skip duplicate address detection
 * (RFC 4862, 5.4), which would leave them unusable for a second.
 */
export function addAddress(stack: NetworkStack, device: string, cidr: string): Change<string[]> {
  return {
    ...addressChange(stack, device, `${device}: address ${cidr}`),
    command: ['ip', 'address', 'add', cidr, 'dev', device, ...(cidr.includes(':') ? ['nodad'] : [])],
    undo: (before) => (before?.includes(cidr) ? undefined : ['ip', 'address', 'delete', cidr, 'dev', device]),
  };
}

/** Removes an address; the undo adds it again. */
export function deleteAddress(stack: NetworkStack, device: string, cidr: string): Change<string[]> {
  return {
    ...addressChange(stack, device, `${device}: no address ${cidr}`),
    command: ['ip', 'address', 'delete', cidr, 'dev', device],
    undo: (before) => (before?.includes(cidr) ? ['ip', 'address', 'add', cidr, 'dev', device] : undefined),
  };
}

/** The addresses of a link in CIDR form, link-local ones left out. */
export function addressesOf(link: LinkInfo | undefined): string[] {
  const addresses = link?.addr_info ?? [];
  return addresses
    .filter(({ local, scope }) => local && scope !== 'link')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

function addressChange(stack: NetworkStack, device: string, what: string): Omit<Change<string[]>, 'command'> {
  return { stack, what, read: showLink(device), value: (output) => addressesOf(parseLink(output)) };
}
