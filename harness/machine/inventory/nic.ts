/** Checks a host's NIC: whether it can carry experiments, and whether the SSH connection to the host uses it. */
import { z } from 'zod';
import { MacvlabError } from '../../core/error.js';
import { type LinkInfo, parseIpJson, readLinks } from '../../link/link-info.js';
import { CommandLog } from '../../remote/command-log.js';
import { NetworkStack } from '../../remote/network-stack.js';
import type { Session } from '../../remote/session.js';
import type { ReachedHost } from './reach/reach.js';

/** A NIC that can carry experiments. */
export interface Nic {
  name: string;
  mac: string;
  link: LinkInfo;
  /**
   * Whether the SSH connection to its host uses it, or an interface on top of it; undefined if the host does not report
   * where the connection comes from, or has no route back.
   */
  carriesSsh: boolean | undefined;
}

/**
 * Checks a NIC; changes nothing.
 * @throws MacvlabError HOST_NIC if it is missing, wireless, down, without a carrier, a port of another device, or not
 * Ethernet
 */
export async function lookAtNic({ name: host, session, connection }: ReachedHost, nic: string): Promise<Nic> {
  const links = await linksOf(session);
  const link = links.find(({ ifname }) => ifname === nic);
  if (!link) throw missing(host, nic, links);
  const wireless = await isWireless(session, nic);
  const fault = faultOf(link, wireless);
  if (fault) {
    throw new MacvlabError('HOST_NIC', `${nic} of ${host} ${fault.why}`, { evidence: lineOf(link), next: fault.next });
  }
  const route = connection && (await routeOf(session, connection));
  const carriesSsh = route === undefined ? undefined : lowerLinks(route, links).has(nic);
  return { name: nic, mac: link.address ?? '', link, carriesSsh };
}

/** All links of a session's network. @throws MacvlabError LINK_UNREADABLE, LinkError */
export async function linksOf(session: Session): Promise<LinkInfo[]> {
  return readLinks(new NetworkStack(session.name, session, new CommandLog()));
}

interface Fault {
  why: string;
  next: string;
}

/** A VRF leaves its member interfaces as they are (Documentation/networking/vrf.rst). */
const harmlessMasters = new Set<unknown>([undefined, 'vrf']);

/** Why a link cannot carry experiments; checks its type before its state. */
export function faultOf(link: LinkInfo, wireless: boolean): Fault | undefined {
  const { ifname, flags, linkinfo, operstate } = link;
  const [master, type] = [wordIn(link, 'master'), wordIn(link, 'link_type')];
  const slave = linkinfo?.info_slave_kind;
  if (wireless) {
    return {
      why: 'is a wireless card: an access point takes frames from the card’s own MAC address only',
      next: 'name a card with a cable: nic in the inventory',
    };
  }
  if (type !== undefined && type !== 'ether') {
    return {
      why: `is no Ethernet card (${type}), and has no MAC addresses`,
      next: 'name another: nic in the inventory',
    };
  }
  if (master !== undefined && !harmlessMasters.has(slave)) {
    const what = slave === 'bridge' ? 'a port of the bridge' : `a slave of the ${slave ?? 'device'}`;
    return {
      why: `is ${what} ${master}, which takes its frames before any macvlan does`,
      next: `name ${master} itself, or a card that is nothing’s port: nic in the inventory`,
    };
  }
  if (!flags.includes('UP')) {
    return {
      why: 'is down',
      next: `set it up on the host: ip link set dev ${ifname} up (macvlab does not change that)`,
    };
  }
  if (flags.includes('NO-CARRIER') || ['DOWN', 'LOWERLAYERDOWN', 'NOTPRESENT'].includes(operstate)) {
    return {
      why: 'has no carrier',
      next: `look at its cable and the switch’s port, or name another card; on the host: ip link show dev ${ifname}`,
    };
  }
  return undefined;
}

function missing(host: string, nic: string, links: readonly LinkInfo[]): MacvlabError {
  const others = links.filter(({ flags }) => !flags.includes('LOOPBACK'));
  return new MacvlabError('HOST_NIC', `${host} has no network card ${nic}`, {
    evidence: others.map(lineOf).join('\n'),
    next: `name one of these: nic in the inventory (${others.map(({ ifname }) => ifname).join(', ')})`,
  });
}

/** An optional property of a link; undefined if it is not a string. */
function wordIn(link: LinkInfo, key: string): string | undefined {
  const value = link[key];
  return typeof value === 'string' ? value : undefined;
}

/** "eth1: UP, LOWER_UP; 52:54:00:12:34:56; veth" */
function lineOf(link: LinkInfo): string {
  const { ifname, flags, address, linkinfo } = link;
  const shown = flags.filter((flag) => ['UP', 'LOWER_UP', 'NO-CARRIER'].includes(flag)).join(', ') || 'down';
  const master = wordIn(link, 'master');
  return [`${ifname}: ${shown}`, address, linkinfo?.info_kind, master === undefined ? undefined : `in ${master}`]
    .filter((part) => part !== undefined)
    .join('; ');
}

async function isWireless(session: Session, nic: string): Promise<boolean> {
  const there = async (file: string) =>
    (await session.run(['test', '-e', `/sys/class/net/${nic}/${file}`])).status === 0;
  return (await there('phy80211')) || there('wireless');
}

const routes = z.array(z.looseObject({ dev: z.string().optional() }));

/** The interface through which a host replies to this machine; undefined if it has no route. */
async function routeOf(session: Session, { from, to }: { from: string; to: string }): Promise<string | undefined> {
  const [address = '', zone] = from.split('%');
  if (zone !== undefined) return zone;
  const { status, stdout } = await session.run(['ip', '-j', 'route', 'get', address, 'from', to.split('%')[0] ?? '']);
  return status === 0 ? parseIpJson(stdout, routes)[0]?.dev : undefined;
}

/** A link and all links below it: the NIC below a VLAN, the ports of a bridge or bond. */
export function lowerLinks(name: string, links: readonly LinkInfo[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (each: string) => {
    if (found.has(each)) return;
    found.add(each);
    const link = links.find(({ ifname }) => ifname === each);
    // For a lower link in another network namespace, `ip` prints only its index.
    if (link?.link !== undefined && link.link_netnsid === undefined) visit(link.link);
    for (const port of links) if ((port as { master?: string }).master === each) visit(port.ifname);
  };
  visit(name);
  return found;
}
/** A host on the wire, and its NIC there. */
export interface OnWire {
  host: ReachedHost;
  nic: Nic;
}
