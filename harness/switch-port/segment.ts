/** What is made on a host for one VLAN of a port: VEPA children in namespaces of their own, and those who listen there. */
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

/** A host and the NIC that is asked about. */
export interface HostNic {
  /** The host's own network, as root. */
  stack: NetworkStack;
  nic: string;
}

/** Where children are put: the NIC itself, or the VLAN of it that is in a namespace. */
export interface Base {
  stack: NetworkStack;
  device: string;
  /** The host's own network: only from there can namespaces be made (`ip -n` has mounts of its own). */
  home: NetworkStack;
}

/** A child in its namespace. */
export interface Child {
  stack: NetworkStack;
  mac: string;
  /** Where it listens for what it is given. */
  wire: CapturePoint;
}

/** The child's name in its namespace. */
export const childDevice = 'eth0';

/** Spanning tree's addresses: IEEE 802.1D, table 7-10, and Cisco's for one tree per VLAN. */
const treeAddresses = ['01:80:c2:00:00:00', '01:00:0c:cc:cc:cd'] as const;

/**
 * The group that multicast is sent to: for experiments (RFC 4727, 2.4.2), and of 224.0.0.0/24, which switches that snoop should forward to
 * all ports (RFC 4541, 2.1.2, informational: not all do).
 */
export const group = { address: '224.0.0.254', mac: '01:00:5e:00:00:fe' } as const;

/** A capture of a NIC, by direction, that sees frames of a run and spanning tree alone. */
export function nicPoint({ stack, nic }: HostNic, macs: MacRange): CapturePoint {
  const tree = treeAddresses.map((address) => `ether dst ${address}`);
  return new CapturePoint(stack, nic, ['in', 'out'], [macFilter(macs), ...tree].join(' or '));
}

/** Whether a destination is spanning tree's. */
export function isTree(mac: string | undefined): boolean {
  return treeAddresses.some((address) => address === mac);
}

/** The place for children of a VLAN; nothing is added to the host's own network. */
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
  /** In CIDR form; a child without one says nothing. */
  address?: string;
  /** Groups whose frames it takes, as MAC addresses; the NIC takes them then as well. */
  groups?: readonly string[];
  ipv6: boolean;
}

/** Makes a VEPA child, up and listening. @throws LinkError; MacvlabError CAPTURE_START */
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

/** The tree's groups, for the child that listens for it. */
export const treeGroups: readonly string[] = treeAddresses;

/** Whether a host's kernel has IPv6 at all. */
export async function hasIpv6(stack: NetworkStack): Promise<boolean> {
  const { status } = await stack.run(['test', '-e', '/proc/sys/net/ipv6/conf/default/disable_ipv6'], 'reading');
  return status === 0;
}

function noAddresses(device: string): string[] {
  return ['sh', '-c', '[ ! -e /proc/sys/net/ipv6 ] || ip link set dev "$1" addrgenmode none', 'sh', device];
}

/** A host that is told not to use IPv6 hands that on to new namespaces; ours says for itself. */
function ipv6Script(on: boolean): string {
  const files = '/proc/sys/net/ipv6/conf/default/disable_ipv6 /proc/sys/net/ipv6/conf/all/disable_ipv6';
  return `for f in ${files}; do [ ! -e "$f" ] || echo ${on ? 0 : 1} >"$f"; done`;
}

/** A namespace of ours: no other has its name, though it may be in the same folder. */
function namespaceOn({ name, session, log }: NetworkStack, part: string): NetworkStack {
  return new NetworkStack(`${name}/${part}`, session, log, `vs-${randomBytes(4).toString('hex')}-${part}`);
}
