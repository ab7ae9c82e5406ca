/** The inventory: which real hosts make up a lab, and what is known of the switch between them. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';
import type { OthersSwitch } from '../driver.js';
import { networkOf } from '../network.js';
import { inventoryFileName } from './inventory-file-name.js';
import { allowed, inventorySchema, type InventoryText, type ReachableText } from './inventory-schema.js';
import type { HostAddress } from './machine.js';

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
 * @throws MacvlabError USAGE naming the file, the line and what is allowed there; HOST_ADDRESSES when it allows none
 */
export function readInventory(file = inventoryFileName): Inventory {
  const lines = new LineCounter();
  const document = parseDocument(textOf(file), { lineCounter: lines });
  const source = { file, document, lines };
  const [broken] = document.errors;
  // Only the first line: what follows it shows the text, which may be a key that somebody has pasted.
  if (broken) throw wrong(source, `it is not YAML: ${broken.message.split('\n')[0]?.replace(/:$/, '')}`);
  const parsed = inventorySchema.safeParse(valueOf(source));
  if (!parsed.success) throw refuse(source, parsed.error);
  const text = parsed.data;
  refuseTwice(source, text);
  return { file, ...inventoryOf(source, text) };
}

/** A path as the user wrote it: from the home folder, or relative to another folder. */
function expandPath(path: string, folder: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(folder, path);
}

interface Source {
  file: string;
  document: Document.Parsed;
  lines: LineCounter;
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

function valueOf(source: Source): unknown {
  try {
    return source.document.toJS() ?? {};
  } catch (error) {
    throw wrong(source, `it cannot be resolved: ${messageOf(error)}`);
  }
}

function inventoryOf({ file, document, lines }: Source, text: InventoryText): Omit<Inventory, 'file'> {
  const { machines, switch: known = {} } = text;
  const folder = dirname(file);
  const machine = (name: MachineName, { nic, ...reachable }: (typeof machines)['node1']): InventoryMachine => ({
    address: addressOf(name, reachable, folder),
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
    addresses: addressesOf({ file, document, lines }, text.addresses),
    switch: {
      hairpin: Object.fromEntries(reflects.map(([node, state]) => [node, state === 'on'])),
      ...(vlans && { vlans }),
      ...(native !== undefined && { native }),
      ...(command && { driver: { command: programFrom(folder, command) } }),
      ...(bridge && { driver: { bridge: { device: bridge.device, ports: bridge.ports } } }),
    },
    ...(bridge && { bridge: addressOf('switch', bridge, folder) }),
  };
}

function addressOf(name: string, text: Omit<ReachableText, 'device' | 'ports'>, folder: string): HostAddress {
  const { host, port, user, identity, jump, 'known-hosts': knownHosts, sudo = user !== 'root' } = text;
  return {
    name,
    host,
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(identity !== undefined && { identity: expandPath(identity, folder) }),
    ...(jump !== undefined && { jump }),
    ...(knownHosts !== undefined && { knownHosts: expandPath(knownHosts, folder) }),
    sudo,
  };
}

/** A program that is named by a path is looked for from the inventory’s folder, any other on PATH. */
function programFrom(folder: string, [program = '', ...rest]: readonly string[]): string[] {
  return [program.includes('/') ? expandPath(program, folder) : program, ...rest];
}

function addressesOf(source: Source, given: InventoryText['addresses']): readonly string[] | undefined {
  if (given === 'articles') return undefined;
  if (given === undefined || given === null) {
    throw new MacvlabError('HOST_ADDRESSES', `${placeOf(source, [])}: it does not say which addresses may be used`, {
      next: `add a line: addresses: articles (those that the articles use, if nobody else does on that segment), or the networks: ${allowed['addresses']}`,
    });
  }
  const networks = typeof given === 'string' ? [given] : given;
  for (const [index, network] of networks.entries()) {
    const whole = networkOf(network);
    if (whole.split('/')[0] === networkOf(`${network.split('/')[0]}/${network.includes(':') ? 128 : 32}`).split('/')[0])
      continue;
    const at = typeof given === 'string' ? ['addresses'] : ['addresses', index];
    throw wrong(source, `addresses: ${network} is an address within a network; the network is ${whole}`, at);
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

type Path = readonly (string | number)[];

/** "inventory.yaml, line 4"; the line of what is nearest to the path. */
function placeOf({ file, document, lines }: Source, path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const at = path.slice(0, length);
    const parent: unknown = document.getIn(at.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(at.at(-1))) : undefined;
    const node: unknown = pair?.key ?? document.getIn(at, true);
    if (isNode(node) && node.range) return `inventory ${file}, line ${lines.linePos(node.range[0]).line}`;
  }
  return `inventory ${file}`;
}

/** Says what is wrong with the first thing that is. */
function refuse(source: Source, { issues }: z.ZodError): MacvlabError {
  const [issue] = issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const keys = knownKeys(path);
    const where = path.length > 0 ? `${path.join('.')} has` : 'it has';
    return wrong(source, `${where} a key ${JSON.stringify(key)}, which means nothing${keys}`, [...path, key]);
  }
  const given: unknown = path.length > 0 ? source.document.getIn(path) : source.document.toJS();
  const words = wordsFor(path);
  if (path.length === 0) return wrong(source, 'it is no mapping of keys to values; keys: machines, addresses, switch');
  if (given === undefined) return wrong(source, `${path.join('.')} is missing; it is ${words}`, path);
  return wrong(source, `${path.join('.')}: ${shown(given)} is not allowed; allowed: ${words}`, path);
}

/** What is allowed at a path; of an element, what is allowed in the list. */
function wordsFor(path: Path): string {
  const names = path.filter((part) => typeof part === 'string');
  return allowed[names.slice(-2).join('.')] ?? allowed[names.at(-1) ?? ''] ?? 'another value';
}

/** The keys that a mapping may have. */
function knownKeys(path: Path): string {
  const places: Readonly<Record<string, string>> = {
    '': 'machines, addresses, switch',
    machines: 'node1, node2, router',
    switch: 'hairpin, vlans, native, driver',
    hairpin: 'node1, node2, router',
    driver: 'bridge, command',
    bridge: 'host, port, user, identity, sudo, jump, known-hosts, device, ports',
    ports: 'node1, node2, router',
  };
  const keys = places[String(path.at(-1) ?? '')] ?? 'host, port, user, identity, sudo, jump, known-hosts, nic';
  return `; keys: ${keys}`;
}

/** A value as it was given, unless it is long, or a key that stands where a file’s name should. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.includes('PRIVATE KEY')) return 'a private key itself';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function wrong(source: Source, why: string, path: Path = []): MacvlabError {
  return new MacvlabError('USAGE', `${placeOf(source, path)}: ${why}`, {
    next: 'mend the file there, or name another with --inventory; docs/inventory.md shows what stands in it',
  });
}
