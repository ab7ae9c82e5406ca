/** IP addresses of devices. */
import { SocketAddress } from 'node:net';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { type LinkInfo, parseLink, showLink } from './link-info.js';

/**
 * Adds an address in CIDR form ("10.0.0.1/24", "2001:db8::1/64"). IPv6 addresses skip duplicate address detection (RFC
 * 4862, 5.4), which would make them unusable for a second.
 */
export function addAddress(stack: NetworkStack, device: string, cidr: string): Change<string[]> {
  return {
    ...addressChange(stack, device, `${device}: address ${cidr}`),
    command: add(device, cidr),
    undo: (before) =>
      before?.includes(asPrinted(cidr)) ? undefined : ['ip', 'address', 'delete', cidr, 'dev', device],
  };
}

/** Removes an address; the undo adds it again. */
export function deleteAddress(stack: NetworkStack, device: string, cidr: string): Change<string[]> {
  return {
    ...addressChange(stack, device, `${device}: no address ${cidr}`),
    command: ['ip', 'address', 'delete', cidr, 'dev', device],
    undo: (before) => (before?.includes(asPrinted(cidr)) ? add(device, cidr) : undefined),
  };
}

/** The addresses of a link in CIDR form, without link-local ones. */
export function addressesOf(link: LinkInfo | undefined): string[] {
  const addresses = link?.addr_info ?? [];
  return addresses
    .filter(({ local, scope }) => local && scope !== 'link')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** An address, with or without prefix length, in the kernel tools' form: IPv6 in its short form (RFC 5952). */
export function asPrinted(cidr: string): string {
  const [address = '', ...prefix] = cidr.split('/');
  if (!address.includes(':')) return cidr;
  return [new SocketAddress({ address, family: 'ipv6' }).address, ...prefix].join('/');
}

function add(device: string, cidr: string): string[] {
  return ['ip', 'address', 'add', cidr, 'dev', device, ...(cidr.includes(':') ? ['nodad'] : [])];
}

function addressChange(stack: NetworkStack, device: string, what: string): Omit<Change<string[]>, 'command'> {
  return { stack, what, read: showLink(device), value: (output) => addressesOf(parseLink(output)) };
}
