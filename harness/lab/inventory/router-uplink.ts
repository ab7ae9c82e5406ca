/** How the router, a network namespace on the third machine, comes to the wire. */
import { MacvlabError } from '../../core/error.js';
import type { OnWire } from './find-hosts.js';

/** Makes the router’s uplink, a child of the third machine’s card, where it belongs. @throws MacvlabError HOST_NIC */
export async function addRouterUplink(
  { host: { name, session }, nic: { name: nic } }: OnWire,
  { uplink, mac }: { uplink: string; mac: string },
): Promise<void> {
  const argv = ['ip', 'link', 'add', 'link', nic, 'netns', 'router', 'name', uplink];
  const { status, stderr } = await session.run([...argv, 'address', mac, 'type', 'macvlan', 'mode', 'bridge']);
  if (status === 0) return;
  throw new MacvlabError('HOST_NIC', `${nic} of ${name} takes no macvlan: ${stderr.trim()}`, {
    evidence: `$ ${argv.join(' ')} address ${mac} type macvlan mode bridge`,
    next: `see what sits on it: ip -d link show dev ${nic}; the kernel needs CONFIG_MACVLAN (modprobe macvlan)`,
  });
}
