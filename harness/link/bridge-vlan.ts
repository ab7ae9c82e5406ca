/** VLANs of a Linux bridge: VLAN filtering, and the VLANs of each port. */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { parseIpJson, parseLink, showLink } from './link-info.js';

/** A VLAN that a port carries. */
export interface PortVlan {
  id: number;
  /** Untagged frames that come in at the port belong to it. */
  pvid: boolean;
  /** Its frames leave the port without their tag. */
  untagged: boolean;
}

/** IEEE 802.1Q, 9.6: 12 bits. */
const id = z.int().min(0).max(4095);

const tableSchema = z.array(
  z.looseObject({
    vlans: z.array(z.looseObject({ vlan: id, vlanEnd: id.optional(), flags: z.array(z.string()).optional() })),
  }),
);

/** Makes a port carry these VLANs and no others. */
export function setPortVlans(stack: NetworkStack, port: string, vlans: readonly PortVlan[]): Change<PortVlan[]> {
  const set = (wanted: readonly PortVlan[]) => batch([removeAll(port), ...wanted.map((vlan) => add(port, vlan))]);
  return {
    stack,
    what: `port ${port}: VLANs ${vlans.map(describe).join(', ') || 'none'}`,
    command: set(vlans),
    read: ['bridge', '-j', 'vlan', 'show', 'dev', port],
    value: readTable,
    expected: [...vlans].sort((a, b) => a.id - b.id),
    undo: (before) => (before === undefined ? undefined : set(before)),
  };
}

/** Turns a bridge's VLAN filtering on or off. Without CONFIG_BRIDGE_VLAN_FILTERING a kernel accepts this, and ignores it. */
export function setVlanFiltering(stack: NetworkStack, bridge: string, on: boolean): Change<boolean> {
  return setting(stack, bridge, 'vlan_filtering', on, Boolean, (value) => (value ? '1' : '0'));
}

/**
 * The default VLAN of a bridge's ports, untagged; none when it is 0. To be set while VLAN filtering is off (br_vlan.c,
 * br_vlan_set_default_pvid).
 */
export function setDefaultVlan(stack: NetworkStack, bridge: string, vlan: number): Change<number> {
  return setting(stack, bridge, 'vlan_default_pvid', vlan, Number, String);
}

function setting<T>(
  stack: NetworkStack,
  bridge: string,
  name: string,
  wanted: T,
  parse: (value: unknown) => T,
  word: (value: T) => string,
): Change<T> {
  const set = (value: T) => ['ip', 'link', 'set', 'dev', bridge, 'type', 'bridge', name, word(value)];
  return {
    stack,
    what: `${bridge}: ${name} ${word(wanted)}`,
    command: set(wanted),
    read: showLink(bridge),
    value: (output) => {
      const value = parseLink(output)?.linkinfo?.info_data?.[name];
      return value === undefined ? undefined : parse(value);
    },
    expected: wanted,
    undo: (before) => (before === undefined || before === wanted ? undefined : set(before)),
  };
}

/** The VLANs in the output of `bridge -j vlan show` for one port, in order. */
export function readTable(output: string): PortVlan[] {
  const vlans = parseIpJson(output, tableSchema).flatMap((port) => port.vlans);
  const single = vlans.flatMap(({ vlan, vlanEnd = vlan, flags = [] }) =>
    Array.from({ length: vlanEnd - vlan + 1 }, (_, index) => ({
      id: vlan + index,
      pvid: flags.includes('PVID'),
      untagged: flags.includes('Egress Untagged'),
    })),
  );
  return single.sort((a, b) => a.id - b.id);
}

/** The kernel reports no error for VLANs in the range that the port does not carry (br_netlink.c, br_vlan_info). */
function removeAll(port: string): string {
  return `vlan delete dev ${port} vid 1-4094`;
}

function add(port: string, { id, pvid, untagged }: PortVlan): string {
  return `vlan add dev ${port} vid ${id}${pvid ? ' pvid' : ''}${untagged ? ' untagged' : ''}`;
}

function batch(lines: readonly string[]): string[] {
  return ['sh', '-c', 'printf "%s\\n" "$@" | bridge -batch -', 'bridge', ...lines];
}

function describe({ id, pvid, untagged }: PortVlan): string {
  return `${id}${pvid ? ' native' : ''}${untagged ? '' : ' tagged'}`;
}
