/**
 * Snapshots of a host's network: links, addresses, routes, rules, neighbours, forwarding. They omit what changes by
 * itself. The guard takes one before and one after a lab, and compares them.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { MacvlabError } from '../../../core/error.js';
import { parseIpJson } from '../../../link/link-info.js';
import type { Session } from '../../../remote/session.js';
import { isWithin, overlap } from '../../../core/cidr.js';

/** All items, each by a unique name ("link eth1"), with their properties. */
export type Snapshot = ReadonlyMap<string, string>;

/** Identifies the lab's entries among a host's neighbours: they are not part of the host's configuration. */
export interface Ours {
  /** The prefix of the MAC addresses that the lab assigns: "02:6d:1a:2b". */
  macRange: string;
  /** The host's NIC that the lab's networks are on. */
  nic: string | undefined;
  /** Networks in CIDR form whose addresses the lab uses. */
  networks: readonly string[];
}

type Item = Record<string, unknown>;

const items = z.array(z.record(z.string(), z.unknown()));

/** A host's neighbour table. */
const neighbours = z.array(
  z.looseObject({
    dst: z.string(),
    dev: z.string().optional(),
    lladdr: z.string().optional(),
    state: z.array(z.string()).optional(),
  }),
);

const readings = {
  link: ['ip', '-d', '-j', 'link', 'show'],
  address: ['ip', '-j', 'address', 'show'],
  'route 4': ['ip', '-4', '-j', 'route', 'show', 'table', 'all'],
  'route 6': ['ip', '-6', '-j', 'route', 'show', 'table', 'all'],
  'rule 4': ['ip', '-4', '-j', 'rule', 'show'],
  'rule 6': ['ip', '-6', '-j', 'rule', 'show'],
  neighbour: ['ip', '-j', 'neighbour', 'show'],
} as const;

type Reading = keyof typeof readings;

const forwarding = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'];

/**
 * Takes a snapshot of the network that a session is in.
 * @throws MacvlabError LINK_UNREADABLE, REMOTE_DEAD, REMOTE_DEADLINE
 */
export async function takeSnapshot(session: Session, ours: Ours): Promise<Snapshot> {
  const names = Object.keys(readings) as Reading[];
  const results = await session.batch([
    ...names.map((name) => ({ argv: readings[name], mayFail: true })),
    ...forwarding.map((file) => ({ argv: ['cat', file], mayFail: true })),
  ]);
  const snapshot = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const { status = 1, stdout = '', stderr = '' } = results[index] ?? {};
    if (status !== 0) {
      // A kernel without IPv6, or without rules (CONFIG_IP_MULTIPLE_TABLES).
      if (/ (6|4)$/.test(name)) continue;
      throw new MacvlabError('LINK_UNREADABLE', `${session.name}: ${readings[name].join(' ')}: ${stderr.trim()}`, {
        next: 'check that `ip -V` is iproute2 4.18 or newer; busybox’s ip has no JSON output',
      });
    }
    for (const [key, value] of normal[name](parseIpJson(stdout, items), ours))
      snapshot.set(unused(snapshot, key), value);
  }
  for (const [index, file] of forwarding.entries()) {
    const { status, stdout = '' } = results[names.length + index] ?? {};
    if (status === 0) snapshot.set(file, stdout.trim());
  }
  return snapshot;
}

/** Makes a name unique: two routes may have the same name, and their order has no meaning. */
function unused(snapshot: Snapshot, key: string): string {
  for (let count = 2, name = key; ; count++) {
    if (!snapshot.has(name)) return name;
    name = `${key} (${count})`;
  }
}

type Entry = readonly [key: string, value: string];

const normal: Record<Reading, (list: Item[], ours: Ours) => Entry[]> = {
  link: (list) => list.map(link),
  address: (list) => list.flatMap(addresses),
  'route 4': (list) => list.flatMap((item) => route(item, '')),
  'route 6': (list) => list.flatMap((item) => route(item, '-6 ')),
  'rule 4': (list) => list.map((item) => ['rule', textOf(item)] as const).map(named),
  'rule 6': (list) => list.map((item) => ['rule -6', textOf(item)] as const).map(named),
  neighbour: (list, ours) => list.flatMap((item) => neighbour(item, ours)),
};

/** An item whose whole text is its name. */
const named = ([kind, text]: Entry): Entry => [`${kind} ${text}`, ''];

/**
 * Properties that are not configuration: a plugged cable, a bridge’s timers, and the number of listeners on a device
 * (promiscuity). Promiscuous mode without a listener is a flag.
 */
const passingFlags = new Set(['LOWER_UP', 'RUNNING', 'NO-CARRIER', 'M-DOWN', 'DORMANT', 'ECHO']);
const passing =
  /timer|fdb_n_learned|topology_change|root_id|root_port|root_path_cost|designated_|_age$|^(state|operstate|stats|stats64|link_netnsid|promiscuity)$/;

function link(item: Item): Entry {
  const { ifname, flags, ...rest } = item;
  const lasting = (Array.isArray(flags) ? (flags as string[]) : []).filter((flag) => !passingFlags.has(flag)).sort();
  return [`link ${plain(ifname)}`, textOf({ flags: lasting, ...strip(rest) })];
}

/** Removes the passing properties, at any depth. */
function strip(value: unknown): Item {
  return stripped(value) as Item;
}

function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !passing.test(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, stripped(inner)]));
}

function addresses({ ifname, addr_info: list }: Item): Entry[] {
  const all = items.safeParse(list).data ?? [];
  // Temporary addresses (RFC 8981) come and go by themselves.
  return all
    .filter(({ local, temporary }) => local !== undefined && temporary === undefined)
    .map(({ local, prefixlen, address, scope, label, broadcast }) => [
      `address ${plain(local)}${address === undefined ? '' : ` peer ${plain(address)}`}/${plain(prefixlen)} on ${plain(ifname)}`,
      textOf({ scope, ...(label !== ifname && { label }), broadcast }),
    ]);
}

function route(item: Item, family: string): Entry[] {
  const { type, dst, gateway, via, dev, table, protocol, metric, scope, prefsrc, nexthops, src, tos } = item;
  // The kernel clones these for a moment.
  if (type === 'cache' || (Array.isArray(item['flags']) && (item['flags'] as string[]).includes('cloned'))) return [];
  const words = Object.entries({ via: gateway ?? via, dev, table, proto: protocol, metric, scope, from: src, tos })
    .filter(([, value]) => value !== undefined)
    .map(([word, value]) => `${word} ${plain(value)}`);
  const name = ['route', `${family}${type === undefined ? '' : `${plain(type)} `}${plain(dst)}`, ...words].join(' ');
  return [[name, textOf({ prefsrc, nexthops: stripped(nexthops) })]];
}

function neighbour({ dst, dev, lladdr, state }: Item, { macRange, nic, networks }: Ours): Entry[] {
  const permanent = Array.isArray(state) && state.includes('PERMANENT');
  const onOurs = dev === nic && isIn(plain(dst), networks);
  if (!permanent && !onOurs && !plain(lladdr).startsWith(macRange)) return [];
  return [[`neighbour ${plain(dst)} on ${plain(dev)}${permanent ? ' (permanent)' : ''}`, plain(lladdr ?? '')]];
}

/** Whether a text from a host is an address in one of these networks. */
function isIn(address: string, networks: readonly string[]): boolean {
  return isIP(address) !== 0 && networks.some((network) => isWithin(address, network));
}

function plain(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Properties as text; equal properties have equal text. */
function textOf(item: Item): string {
  const sorted = Object.entries(item)
    .filter(([, value]) => value !== undefined && value !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([key, value]) => `${key} ${plain(value)}`).join(', ');
}

/**
 * Deletes the neighbours that a host has learned from the lab: on its NIC in the lab's networks, or with MAC addresses
 * of the lab's range.
 * @throws MacvlabError REMOTE_DEAD, REMOTE_DEADLINE
 */
export async function forgetNeighbours(session: Session, { macRange, nic, networks }: Ours): Promise<void> {
  const { stdout } = await session.run([...readings.neighbour]);
  const learned = parseIpJson(stdout, neighbours).filter(({ state }) => !state?.includes('PERMANENT'));
  const ours = learned.filter(
    ({ dst, dev, lladdr = '' }) => lladdr.startsWith(macRange) || (dev === nic && isIn(dst, networks)),
  );
  const commands = ours.map(({ dst, dev = '' }) => ['ip', 'neighbour', 'delete', dst, 'dev', dev]);
  await session.batch(commands.map((argv) => ({ argv, mayFail: true })));
}

/** Of `networks`, those into which a host has no route of its own: all neighbours that it learns there belong to the lab. */
export function notItsOwn(snapshot: Snapshot, networks: readonly string[]): string[] {
  const own = [...snapshot.keys()].flatMap((key) => /^route (?:-6 )?([0-9a-f.:]+(?:\/\d+)?) /.exec(key)?.[1] ?? []);
  const read = own.filter((each) => {
    const [address = '', prefix = '0'] = each.split('/');
    return isIP(address) !== 0 && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
  });
  return networks.filter((network) => !read.some((each) => overlap(each, network)));
}

/** A snapshot as text: one line per item. */
export function formatSnapshot(snapshot: Snapshot): string {
  return [...snapshot]
    .map(([key, value]) => `${key}${value && `: ${value}`}\n`)
    .sort()
    .join('');
}

/** A neighbour that a host has learned, not a permanent one: it expires, or {@link forgetNeighbours} deletes it. */
const learned = /^neighbour (?!.*\(permanent\)$)/;

/**
 * The differences, one line each: "- " is missing, "+ " is new, "~ " has changed. A learned neighbour of the lab's
 * networks from before is left over from an earlier run: its removal is no difference.
 */
export function compare(before: Snapshot, after: Snapshot): string[] {
  const lines: string[] = [];
  for (const [key, value] of before) {
    if (learned.test(key)) continue;
    const now = after.get(key);
    if (now === undefined) lines.push(`- ${key}${value && `: ${value}`}`);
    else if (now !== value) lines.push(`~ ${key}: ${changed(value, now)}`);
  }
  for (const [key, value] of after) if (!before.has(key)) lines.push(`+ ${key}${value && `: ${value}`}`);
  return lines;
}

/** Only the properties that differ. */
function changed(before: string, after: string): string {
  const [was, is] = [before, after].map((text) => new Set(text.split(/, (?=[a-z_0-9]+ )/)));
  const only = (a: Set<string> | undefined, b: Set<string> | undefined) =>
    [...(a ?? [])].filter((each) => !b?.has(each));
  return `${only(was, is).join(', ') || 'nothing'} is now ${only(is, was).join(', ') || 'nothing'}`;
}
