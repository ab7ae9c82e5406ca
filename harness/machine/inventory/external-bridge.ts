/** Checks a switch that is a Linux bridge reached by SSH against the inventory. */
import { z } from 'zod';
import { MacvlabError } from '../../core/error.js';
import { parseIpJson } from '../../link/link-info.js';
import type { Session } from '../../remote/session.js';
import type { OnWire } from './nic.js';
import { linksOf } from './nic.js';
import type { ReachedHost } from './reach/reach.js';

/**
 * Checks the bridge and its ports; changes nothing.
 * @throws MacvlabError HOST_NIC if the bridge is missing, or if one of `ports` is not its port
 */
export async function lookAtPorts(
  { name, session }: ReachedHost,
  { device, ports }: { device: string; ports: Readonly<Record<string, string>> | Partial<Record<string, string>> },
): Promise<void> {
  const links = await linksOf(session);
  const bridge = links.find(({ ifname }) => ifname === device);
  if (bridge?.linkinfo?.info_kind !== 'bridge') {
    const bridges = links.filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge').map(({ ifname }) => ifname);
    throw new MacvlabError(
      'HOST_NIC',
      `${name} has ${bridge ? `${device}, which is no bridge` : `no bridge ${device}`}`,
      {
        next: `name the bridge: device in the inventory (it has: ${bridges.join(', ') || 'none'})`,
      },
    );
  }
  const own = links.filter((link) => (link as { master?: string }).master === device).map(({ ifname }) => ifname);
  for (const [node, port] of Object.entries(ports)) {
    if (port === undefined || own.includes(port)) continue;
    throw new MacvlabError('HOST_NIC', `${port}, named as the port of ${node}, is no port of ${name}’s ${device}`, {
      next: `name the port that ${node}’s cable ends at: ports in the inventory (${device} has: ${own.join(', ') || 'none'})`,
    });
  }
}

const fdbSchema = z.array(z.looseObject({ mac: z.string(), ifname: z.string(), state: z.string().optional() }));

/**
 * Compares the ports where the bridge has learned the hosts' NICs with the ports in the inventory; changes nothing. A
 * NIC that the bridge has not learned yet, or has learned at another port, sends an ARP probe first (arping -D, for an
 * address of RFC 5737).
 * @param cards the hosts' NICs, by the names of their machines in the inventory
 * @returns the names of machines whose NIC the bridge has not learned: it does not learn, or drops untagged frames
 * @throws MacvlabError HOST_NIC if a NIC is attached to another port
 */
export async function compareCables(
  { name, session }: ReachedHost,
  { device, ports }: { device: string; ports: Readonly<Partial<Record<string, string>>> },
  cards: Readonly<Record<string, OnWire>>,
): Promise<string[]> {
  const entries = Object.entries(cards).filter(([node]) => ports[node] !== undefined);
  const behind = async () => {
    const learned = await readLearned(session, device);
    return entries.map(([node, card]) => ({ node, card, named: ports[node], learned: learned.get(card.nic.mac) }));
  };
  const doubtful = (await behind()).filter(({ named, learned }) => named !== learned);
  if (doubtful.length === 0) return [];
  await Promise.all(doubtful.map(({ card }) => speak(card)));
  const now = await behind();
  const wrong = now.filter(({ named, learned }) => learned !== undefined && learned !== named);
  const [first] = wrong;
  if (!first) return now.filter(({ learned }) => learned === undefined).map(({ node }) => node);
  const right = wrong.map(({ node, learned }) => `${node}: ${learned}`).join(', ');
  throw new MacvlabError(
    'HOST_NIC',
    `${first.node}’s card (${first.card.nic.name}, ${first.card.nic.mac}) is behind ${first.learned} of ${name}’s ${device}, not behind ${first.named}`,
    {
      evidence: wrong
        .map(
          ({ node, card, named, learned }) => `${node}: ${card.nic.mac} learned at ${learned}; the inventory: ${named}`,
        )
        .join('\n'),
      next: `correct switch.driver.bridge.ports in the inventory: { ${right} }; to see it there: bridge fdb show br ${device}`,
    },
  );
}

/** The port at which a bridge has learned each MAC address. */
async function readLearned(session: Session, device: string): Promise<Map<string, string>> {
  const { stdout } = await session.run(['bridge', '-j', 'fdb', 'show', 'br', device]);
  const entries = parseIpJson(stdout, fdbSchema).filter(({ state }) => state !== 'permanent');
  return new Map(entries.map(({ mac, ifname }) => [mac, ifname]));
}

/** An address that no host has (RFC 5737). */
const nobody = '192.0.2.1';

/** Sends a frame from a NIC, from which a bridge learns its port. */
async function speak({ host, nic }: OnWire): Promise<void> {
  await host.session.run(['arping', '-D', '-c', '1', '-w', '1', '-I', nic.name, nobody]);
}
