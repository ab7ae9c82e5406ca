/** Reads the inventory: the real hosts of a lab, and the known settings of the switch between them. */
import { readFileSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Document, LineCounter } from 'yaml';
import { MacvlabError, messageOf } from '../../../core/error.js';
import { readYaml } from '../../../core/yaml.js';
import type { ExternalSwitch } from '../../external-environment.js';
import { networkOf } from '../../../core/cidr.js';
import { inventoryFileName } from './inventory-file-name.js';
import { allowed, inventorySchema, type InventoryText, type ReachableText } from './inventory-schema.js';
import type { HostAddress } from './machine.js';
import { whereIn, refuse, shown, type Source, wrong, wrongIn } from './inventory-refusal.js';

export type MachineName = 'node1' | 'node2' | 'router';

/** A host and its NIC on the wire of the experiments. */
export interface InventoryMachine {
  address: HostAddress;
  nic: string;
}

export interface Inventory {
  /** The file’s path. */
  file: string;
  machines: { node1: InventoryMachine; node2: InventoryMachine; router?: InventoryMachine };
  /** Networks in CIDR form whose addresses may be used; undefined: the articles’ own networks. */
  addresses: readonly string[] | undefined;
  switch: ExternalSwitch;
  /** The address of the switch’s machine, if it is a Linux bridge that macvlab may configure. */
  bridge?: HostAddress;
}

/**
 * Reads an inventory.
 * @throws MacvlabError USAGE with the file, each wrong line, and the allowed values
 */
export function readInventory(file = inventoryFileName): Inventory {
  const lines = new LineCounter();
  const source = { file, document: documentOf(file, lines), lines };
  const parsed = inventorySchema.safeParse(valueOf(source));
  if (!parsed.success) throw refuse(source, parsed.error);
  const text = parsed.data;
  refuseTwice(source, text);
  return { file, ...inventoryOf(source, text) };
}

/**
 * A path as the value of an ssh setting. ssh expands variables in it, and removes quotation marks and backslashes. It
 * has no escape for a dollar sign with a brace, and not every ssh has one for a backslash (ssh_config(5), "ENVIRONMENT
 * VARIABLES"; OpenSSH, argv_split).
 * @throws MacvlabError USAGE if ssh would look for another file, also because of the name of the inventory’s folder
 */
function pathForSsh(source: Source, at: readonly string[], path: string): string {
  const expanded = expandPath(path, dirname(source.file));
  const [taken] = /\$\{|["\\\p{Cc}]/u.exec(expanded) ?? [];
  if (taken === undefined) return expanded;
  const why = `ssh would take ${JSON.stringify(taken)} for its own, and look for another file`;
  throw wrong(source, `${at.join('.')}: ${shown(expanded)} cannot be given to ssh: ${why}`, at);
}

/** Resolves a path from the user: from the home folder (~), or relative to another folder. */
function expandPath(path: string, folder: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(folder, path);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MacvlabError('USAGE', `the inventory ${file} cannot be read: ${messageOf(error)}`, {
      next: 'name it with --inventory FILE; docs/inventory.md shows what stands in it',
      cause: error,
    });
  }
}

function documentOf(file: string, lines: LineCounter): Document {
  const text = textOf(file);
  try {
    return readYaml(text, lines);
  } catch (error) {
    // Only the first line: the lines after it quote the file, which may contain a pasted key.
    throw wrongIn(`inventory ${file}`, `it is not YAML: ${messageOf(error).split('\n')[0]?.replace(/:$/, '')}`);
  }
}

function valueOf(source: Source): unknown {
  try {
    return source.document.toJS() ?? {};
  } catch (error) {
    throw wrong(source, `it cannot be resolved: ${messageOf(error)}`);
  }
}

function inventoryOf(source: Source, text: InventoryText): Omit<Inventory, 'file'> {
  const { machines, switch: known = {} } = text;
  const folder = dirname(source.file);
  const machine = (name: MachineName, { nic, ...reachable }: (typeof machines)['node1']): InventoryMachine => ({
    address: addressOf(source, ['machines', name], name, reachable),
    nic,
  });
  const { hairpin = {}, vlans, native, driver } = known;
  const reflects = Object.entries(hairpin).filter(([, state]) => state !== 'unknown');
  const { bridge, command } = driver ?? {};
  return {
    machines: {
      node1: machine('node1', machines.node1),
      node2: machine('node2', machines.node2),
      ...(machines.router && { router: machine('router', machines.router) }),
    },
    addresses: addressesOf(source, text.addresses),
    switch: {
      hairpin: Object.fromEntries(reflects.map(([node, state]) => [node, state === 'on'])),
      ...(vlans && { vlans }),
      ...(native !== undefined && { native }),
      ...(command && { driver: { command: programFrom(folder, command) } }),
      ...(bridge && { driver: { bridge: { device: bridge.device, ports: bridge.ports } } }),
    },
    ...(bridge && { bridge: addressOf(source, ['switch', 'driver', 'bridge'], 'switch', bridge) }),
  };
}

function addressOf(
  source: Source,
  at: readonly string[],
  name: string,
  text: Omit<ReachableText, 'device' | 'ports'>,
): HostAddress {
  const { host, port, user, identity, jump, 'known-hosts': knownHosts, sudo = user !== 'root' } = text;
  return {
    name,
    host,
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(identity !== undefined && { identity: pathForSsh(source, [...at, 'identity'], identity) }),
    ...(jump !== undefined && { jump }),
    ...(knownHosts !== undefined && { knownHosts: pathForSsh(source, [...at, 'known-hosts'], knownHosts) }),
    sudo,
  };
}

/** Resolves a program with a slash from the inventory’s folder; the system searches any other name on PATH. */
function programFrom(folder: string, [program = '', ...rest]: readonly string[]): string[] {
  return [program.includes('/') ? expandPath(program, folder) : program, ...rest];
}

/** Loopback, link-local, multicast and reserved networks, which hosts on a segment cannot use (RFC 6890; RFC 4291, section 2.4). */
const noHosts = new BlockList();
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  noHosts.addSubnet(network, length, 'ipv4');
}
for (const [network, length] of [
  ['::', 96],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  noHosts.addSubnet(network, length, 'ipv6');
}

function addressesOf(source: Source, given: InventoryText['addresses']): readonly string[] | undefined {
  if (given === 'articles') return undefined;
  if (given === undefined || given === null) {
    throw new MacvlabError('USAGE', `${whereIn(source, [])}: it does not say which addresses may be used`, {
      next: 'add a line with a range that nobody else uses on that segment, as `addresses: [10.88.0.0/26]`, or `addresses: articles`',
    });
  }
  const networks = typeof given === 'string' ? [given] : given;
  for (const [index, network] of networks.entries()) {
    const place = typeof given === 'string' ? ['addresses'] : ['addresses', index];
    const [base = ''] = network.split('/');
    if (noHosts.check(base, isIPv6(base) ? 'ipv6' : 'ipv4')) {
      throw wrong(
        source,
        `addresses: ${network} is loopback, link-local, multicast or reserved: hosts on a segment cannot use it`,
        place,
      );
    }
    const whole = networkOf(network);
    if (whole.split('/')[0] === networkOf(`${network.split('/')[0]}/${network.includes(':') ? 128 : 32}`).split('/')[0])
      continue;
    throw wrong(source, `addresses: ${network} is an address within a network; the network is ${whole}`, place);
  }
  return networks;
}

/** Rejects duplicate hosts, duplicate ports, an empty or double switch driver, and a missing port for the router. */
function refuseTwice(source: Source, { machines, switch: known }: InventoryText): void {
  const hosts = new Map<string, string>();
  const { bridge, command } = known?.driver ?? {};
  const all = [...Object.entries(machines), ...(bridge ? [['the switch', bridge] as const] : [])];
  for (const [name, { host, port = 22, jump = '' }] of all) {
    const place = `${host} ${port} ${jump}`;
    const other = hosts.get(place);
    const at = name === 'the switch' ? ['switch', 'driver', 'bridge', 'host'] : ['machines', name, 'host'];
    if (other !== undefined) throw wrong(source, `${other} and ${name} are one host (${host}); each needs its own`, at);
    hosts.set(place, name);
  }
  const driver = ['switch', 'driver'];
  if (bridge && command) throw wrong(source, 'the switch is given two drivers, bridge and command: leave one', driver);
  if (known?.driver && !bridge && !command)
    throw wrong(source, `the switch’s driver is empty; allowed: ${allowed['driver']}`, driver);
  const ports = new Map<string, string>();
  for (const [node, port] of Object.entries(bridge?.ports ?? {})) {
    const other = ports.get(port);
    if (other !== undefined)
      throw wrong(source, `${other} and ${node} are given one port of the switch (${port})`, [
        ...driver,
        'bridge',
        'ports',
        node,
      ]);
    ports.set(port, node);
  }
  if (bridge && machines.router && bridge.ports.router === undefined)
    throw wrong(source, 'the switch’s port for router is missing', [...driver, 'bridge', 'ports']);
}
