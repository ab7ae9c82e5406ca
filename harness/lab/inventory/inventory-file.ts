/** The inventory: which real hosts make up a lab, and what is known of the switch between them. */
import { readFileSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Document, LineCounter } from 'yaml';
import { MacvlabError, messageOf } from '../../core/error.js';
import { readYaml } from '../../core/yaml.js';
import type { OthersSwitch } from '../driver.js';
import { networkOf } from '../network.js';
import { inventoryFileName } from './inventory-file-name.js';
import { allowed, inventorySchema, type InventoryText, type ReachableText } from './inventory-schema.js';
import type { HostAddress } from './machine.js';
import { whereIn, refuse, shown, type Source, wrong, wrongIn } from './inventory-refusal.js';

export type MachineName = 'node1' | 'node2' | 'router';

/** A host, and its card on the wire of the experiments. */
export interface InventoryMachine {
  address: HostAddress;
  nic: string;
}

export interface Inventory {
  /** The file’s path. */
  file: string;
  machines: { node1: InventoryMachine; node2: InventoryMachine; router?: InventoryMachine };
  /** Networks in CIDR form whose addresses may be used; undefined: those of the articles, whatever they are. */
  addresses: readonly string[] | undefined;
  switch: OthersSwitch;
  /** How the switch’s machine is reached, where it is a Linux bridge that may be set. */
  bridge?: HostAddress;
}

/**
 * Reads an inventory.
 * @throws MacvlabError USAGE naming the file, each line that is wrong, and what is allowed there
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
 * A path that ssh is given as a setting. Of it, ssh puts in variables, and takes quotation marks and backslashes away; a dollar sign
 * with a brace cannot be said otherwise, a backslash not to every ssh (ssh_config(5), "ENVIRONMENT VARIABLES"; OpenSSH, argv_split).
 * @throws MacvlabError USAGE when ssh would look for another file, be it for the name of the inventory's folder
 */
function pathForSsh(source: Source, at: readonly string[], path: string): string {
  const expanded = expandPath(path, dirname(source.file));
  const [taken] = /\$\{|["\\\p{Cc}]/u.exec(expanded) ?? [];
  if (taken === undefined) return expanded;
  const why = `ssh would take ${JSON.stringify(taken)} for its own, and look for another file`;
  throw wrong(source, `${at.join('.')}: ${shown(expanded)} cannot be given to ssh: ${why}`, at);
}

/** A path as the user wrote it: from the home folder, or relative to another folder. */
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
    // Only the first line: what follows it shows the text, which may be a key that somebody has pasted.
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

/** A program that is named by a path is looked for from the inventory’s folder, any other on PATH. */
function programFrom(folder: string, [program = '', ...rest]: readonly string[]): string[] {
  return [program.includes('/') ? expandPath(program, folder) : program, ...rest];
}

/** Addresses that a host on a segment cannot have, or not as one of several (RFC 6890; RFC 4291, section 2.4). */
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

/** What must be there once: a host, a port of the switch, a switch driver. */
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
