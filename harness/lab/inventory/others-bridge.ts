/** A switch that is a Linux bridge reached by SSH: whether it is what the inventory says. */
import { MacvlabError } from '../../core/error.js';
import { linksOf } from './nic.js';
import type { ReachedHost } from './reach.js';

/**
 * Looks at the bridge and its ports; changes nothing.
 * @throws MacvlabError HOST_NIC when the bridge is not there, or one of these is not its port
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
