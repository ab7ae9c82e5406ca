/** Creates the parts on a host for one VLAN of a port: VEPA children in namespaces of their own, and capture points. */
import { randomBytes } from 'node:crypto';
import type { Scope } from '../core/scope.js';
import { apply, settled } from '../link/change.js';
import { addAddress } from '../link/address.js';
import { setUp } from '../link/device.js';
import { addMacvlan } from '../link/macvlan.js';
import { addNamespace } from '../link/namespace.js';
import { addVlanInto } from '../link/vlan.js';
import { quietNamespace } from '../lab/wiring.js';
import { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint } from '../wire/capture-point.js';
import { linkLocalOf, macFilter, type MacRange } from './mac-range.js';

/** A host and the NIC under test. */
export interface HostNic {
  /** The host's own network, as root. */
  stack: NetworkStack;
  nic: string;
}

/** The place for children: the NIC itself, or its VLAN interface in a namespace. */
export interface Base {
  stack: NetworkStack;
  device: string;
  /** The host's own network: only there can namespaces be created (`ip -n` has mounts of its own). */
  home: NetworkStack;
}

/** A child in its namespace. */
export interface Child {
  stack: NetworkStack;
  mac: string;
  /** Its capture point, for the frames that it receives. */
  wire: CapturePoint;
}

/** The child's name in its namespace. */
export const childDevice = 'eth0';

/** Destination addresses of spanning tree: IEEE 802.1D, table 7-10, and Cisco's for one tree per VLAN. */
const treeAddresses = ['01:80:c2:00:00:00', '01:00:0c:cc:cc:cd'] as const;

/**
 * The group for multicast: for experiments (RFC 4727, 2.4.2), and of 224.0.0.0/24. Switches with snooping should
 * forward these groups to all ports (RFC 4541, 2.1.2, informational: not all do).
 */
export const group = { address: '224.0.0.254', mac: '01:00:5e:00:00:fe' } as const;

/** A capture point at a NIC, by direction, for frames of a run and spanning tree only. */
export function nicPoint({ stack, nic }: HostNic, macs: MacRange): CapturePoint {
  const tree = treeAddresses.map((address) => `ether dst ${address}`);
  return new CapturePoint(stack, nic, ['in', 'out'], [macFilter(macs), ...tree].join(' or '));
}

/** Whether a destination is one of spanning tree. */
export function isTree(mac: string | undefined): boolean {
  return treeAddresses.some((address) => address === mac);
}

/** Creates the place for children of a VLAN, and adds nothing to the host's own network. */
export async function makeBase(host: HostNic, vlan: number | 'untagged', scope: Scope): Promise<Base> {
  if (vlan === 'untagged') return { stack: host.stack, device: host.nic, home: host.stack };
  const stack = namespaceOn(host.stack, `v${vlan}`);
  const device = `v${vlan}`;
  await apply(
    [
      ...addNamespace(host.stack, stack),
      quietNamespace(stack),
      addVlanInto(host.stack, { name: device, parent: host.nic, id: vlan }, stack),
      settled({ stack, what: `${device}: no addresses`, command: noAddresses(device) }),
      settled(setUp(stack, device, true)),
    ],
    scope,
  );
  return { stack, device, home: host.stack };
}

export interface ChildOptions {
  name: string;
  mac: string;
  /** In CIDR form; a child without one sends nothing. */
  address?: string;
  /** Groups whose frames it accepts, as MAC addresses; the NIC then accepts them as well. */
  groups?: readonly string[];
  ipv6: boolean;
}

/** Creates a VEPA child, up and with its capture point open. @throws LinkError; MacvlabError CAPTURE_START */
export async function makeChild(base: Base, options: ChildOptions, scope: Scope): Promise<Child> {
  const { name, mac, address, groups = [], ipv6 } = options;
  const stack = namespaceOn(base.stack, name);
  const inside = (what: string, command: readonly string[]) => settled({ stack, what: `${name}: ${what}`, command });
  await apply(
    [
      ...addNamespace(base.home, stack),
      quietNamespace(stack),
      inside('IPv6 or not', ['sh', '-c', ipv6Script(ipv6)]),
      addMacvlan(base.stack, { name: childDevice, parent: base.device, mode: 'vepa', mac }, stack),
      inside('no address by itself', noAddresses(childDevice)),
      ...(address === undefined ? [] : [settled(addAddress(stack, childDevice, address))]),
      ...(ipv6 ? [settled(addAddress(stack, childDevice, `${linkLocalOf(mac)}/64`))] : []),
      settled(setUp(stack, childDevice, true)),
      ...groups.map((each) => inside(`takes ${each}`, ['ip', 'maddress', 'add', each, 'dev', childDevice])),
    ],
    scope,
  );
  const wire = new CapturePoint(stack, childDevice, ['in']);
  scope.defer(`stop listening on ${wire.label}`, () => wire.close());
  await wire.open();
  return { stack, mac, wire };
}

/** The groups of spanning tree, for the child that joins them. */
export const treeGroups: readonly string[] = treeAddresses;

/** Whether a host's kernel has IPv6. */
export async function hasIpv6(stack: NetworkStack): Promise<boolean> {
  const { status } = await stack.run(['test', '-e', '/proc/sys/net/ipv6/conf/default/disable_ipv6'], 'reading');
  return status === 0;
}

function noAddresses(device: string): string[] {
  return ['sh', '-c', '[ ! -e /proc/sys/net/ipv6 ] || ip link set dev "$1" addrgenmode none', 'sh', device];
}

/** New namespaces inherit the setting of a host with IPv6 turned off; ours have a setting of their own. */
function ipv6Script(on: boolean): string {
  const files = '/proc/sys/net/ipv6/conf/default/disable_ipv6 /proc/sys/net/ipv6/conf/all/disable_ipv6';
  return `for f in ${files}; do [ ! -e "$f" ] || echo ${on ? 0 : 1} >"$f"; done`;
}

/** A namespace of ours. Its name is unique, since other namespaces may be in the same folder. */
function namespaceOn({ name, session, log }: NetworkStack, part: string): NetworkStack {
  return new NetworkStack(`${name}/${part}`, session, log, `vs-${randomBytes(4).toString('hex')}-${part}`);
}
