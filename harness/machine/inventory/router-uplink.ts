/** Connects the router, a network namespace on the third machine, to the wire. */
import { MacvlabError } from '../../core/error.js';
import type { OnWire } from './nic.js';

/** Creates the router’s uplink in its namespace, as a child of the third machine’s NIC. @throws MacvlabError HOST_NIC */
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
