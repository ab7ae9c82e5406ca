/** The command-line options for a switch port: hosts, VLANs, addresses. */
import { resolve } from 'node:path';
import { isIPv4 } from 'node:net';
import { MacvlabError } from '../../core/error.js';
import { allowed, inventorySchema } from '../../machine/inventory/file/inventory-schema.js';
import type { HostAddress } from '../../machine/inventory/file/machine.js';
import { parseRange } from '../../switch-port/address-range.js';
import { refuseDoubles, type SegmentRequest } from '../../switch-port/validate.js';

/** Options from commander. */
export interface GivenPortOptions {
  host: string;
  nic: string;
  addresses: string[];
  gateway?: string[];
  peer?: string;
  vlans?: string;
  identity?: string;
  knownHosts?: string;
  port?: number;
  jump?: string;
}

/** A host, and its NIC on the segment. */
export interface NamedNic {
  address: HostAddress;
  nic: string;
}

/** The host whose port is tested. @throws MacvlabError USAGE */
export function hostOf(given: GivenPortOptions): NamedNic {
  return namedNic('--host', given.host, given.nic, given);
}

/** The peer, "[user@]host:nic"; reached in the same way as the host. @throws MacvlabError USAGE */
export function peerOf(given: GivenPortOptions): NamedNic | undefined {
  const { peer, host } = given;
  if (peer === undefined) return undefined;
  const colon = peer.lastIndexOf(':');
  if (colon < 0) throw usage(`--peer: "${peer}" names no NIC`, 'write the host and its NIC: --peer 10.0.0.12:eth1');
  const user = peer.includes('@') || !host.includes('@') ? '' : `${host.slice(0, host.lastIndexOf('@'))}@`;
  return namedNic('--peer', `${user}${peer.slice(0, colon)}`, peer.slice(colon + 1), given);
}

const machine = inventorySchema.shape.machines.shape.node1;

function namedNic(option: string, place: string, nic: string, given: GivenPortOptions): NamedNic {
  const at = place.lastIndexOf('@');
  const host = place.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  const { port, identity, jump, knownHosts } = given;
  const parsed = machine.safeParse({
    host,
    nic,
    ...(at >= 0 && { user: place.slice(0, at) }),
    ...(port !== undefined && { port }),
    ...(identity !== undefined && { identity: resolve(identity) }),
    ...(jump !== undefined && { jump }),
    ...(knownHosts !== undefined && { 'known-hosts': resolve(knownHosts) }),
  });
  if (parsed.success) {
    const { nic: name, 'known-hosts': known, ...rest } = parsed.data;
    return {
      address: { sudo: true, ...rest, name: host, ...(known !== undefined && { knownHosts: known }) },
      nic: name,
    };
  }
  const key = String(parsed.error.issues[0]?.path[0] ?? 'host');
  const named = { host: option, user: option, nic: option === '--host' ? '--nic' : option }[key] ?? `--${key}`;
  throw usage(
    `${named} cannot be used as it is: ${key} must be ${allowed[key] ?? 'something else'}`,
    `look at ${named}`,
  );
}

/**
 * The VLANs to test: the named ones, or untagged frames only. The text before an equals sign is the VLAN of an address
 * range or a gateway.
 * @throws MacvlabError USAGE
 */
export function segmentsOf({ vlans, addresses, gateway = [] }: GivenPortOptions): SegmentRequest[] {
  const names = (vlans ?? 'untagged').split(',').map((word) => vlanOf(word.trim()));
  const ranges = byVlan('--addresses', addresses);
  const gateways = byVlan('--gateway', gateway);
  for (const [vlan, address] of gateways) {
    if (!isIPv4(address)) throw usage(`--gateway: "${address}" is no IPv4 address`, 'write one: --gateway 10.0.0.1');
    if (vlan !== 'all' && !names.includes(vlan)) throw unasked('--gateway', vlan);
  }
  for (const vlan of ranges.keys()) if (vlan !== 'all' && !names.includes(vlan)) throw unasked('--addresses', vlan);
  const segments = names.map((vlan): SegmentRequest => {
    const range = ranges.get(vlan) ?? ranges.get('all');
    if (range === undefined) {
      throw usage(`no addresses are given for VLAN ${vlan}`, `add a free range: --addresses ${vlan}=10.0.0.0/24`);
    }
    return { vlan, range: parseRange(range), gateway: gateways.get(vlan) ?? gateways.get('all') };
  });
  refuseDoubles(segments);
  return segments;
}

function byVlan(option: string, values: readonly string[]): Map<number | 'untagged' | 'all', string> {
  const found = new Map<number | 'untagged' | 'all', string>();
  for (const value of values) {
    const [, vlan, rest = ''] = /^(?:([^=]*)=)?(.*)$/s.exec(value) ?? [];
    const key = vlan === undefined ? 'all' : vlanOf(vlan);
    if (found.has(key))
      throw usage(`${option} is given twice for ${key === 'all' ? 'all VLANs' : `VLAN ${key}`}`, 'give it once');
    found.set(key, rest);
  }
  return found;
}

function vlanOf(word: string): number | 'untagged' {
  if (word === 'untagged') return word;
  const id = Number(word);
  if (/^\d+$/.test(word) && id >= 1 && id <= 4094) return id;
  throw usage(`"${word}" is no VLAN`, 'name VLANs by their numbers, 1 to 4094, and `untagged`: --vlans untagged,10,20');
}

function unasked(option: string, vlan: number | 'untagged'): MacvlabError {
  return usage(`${option} is about VLAN ${vlan}, which is not asked about`, `add it: --vlans ${vlan}`);
}

function usage(message: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', `macvlab validate-switch: ${message}`, { next });
}
