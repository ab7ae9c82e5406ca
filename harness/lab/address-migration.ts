/** Article 4's workaround for the isolation of parent and child: a macvlan on the node takes over the uplink's address and routes. */
import { isIPv4 } from 'node:net';
import { LinkError } from '../link/errno.js';
import type { CommandResult, Session } from '../remote/session.js';
import { isWithin, networkOf } from '../core/cidr.js';
import type { EndpointHost } from './endpoint.js';

/**
 * Moves a node's addresses and routes to a new macvlan (mode bridge) on its uplink. It uses one `ip -batch`, so that it
 * can run over the link that it changes. The end of the current scope moves them back.
 * @param through the session that runs the batch
 */
export async function migrateAddress(node: EndpointHost, name: string, through: Session): Promise<CommandResult> {
  const { device, addresses, stack } = node;
  const { stdout } = await stack.run(['ip', 'route', 'show', 'dev', device], 'reading');
  // A host may have other routes on this device, whose gateways are not the lab's.
  const routes = stdout.split('\n').filter((line) => leadsThrough(line, addresses));
  const routesTo = (target: string) => routes.map((route) => `route replace ${route.trim()} dev ${target}`);
  const mac = node.childMac('bridge');
  const takeover = [
    `link add link ${device} name ${name}${mac === undefined ? '' : ` address ${mac}`} type macvlan mode bridge`,
    ...addresses.map((cidr) => `address delete ${cidr} dev ${device}`),
    `link set dev ${name} up`,
    ...addresses.map((cidr) => `address add ${cidr} dev ${name}`),
    ...routesTo(name),
  ];
  const back = [...addresses.map((cidr) => `address replace ${cidr} dev ${device}`), ...routesTo(device)];
  const deletion = ['ip', 'link', 'delete', 'dev', name];
  const settled = stack.journal?.note([deletion, ...back.map((line) => ['ip', ...line.split(/\s+/)])]);
  node.scopes.current.defer(`${node.name}: address back to ${device}`, async () => {
    // The macvlan may be gone, or may never have existed. Its address and routes have to be restored even so.
    await stack.run(deletion, 'undo');
    const argv = ['ip', '-batch', '-'];
    const { status, stderr } = await stack.run(argv, 'undo', { stdin: `${back.join('\n')}\n` });
    if (status !== 0) throw new LinkError(`${node.name}: address back to ${device}`, argv, stderr);
    settled?.();
  });
  stack.note(['ip', '-batch', '-'], 'change', `${takeover.join('\n')}\n`);
  return through.run(['ip', '-batch', '-'], { stdin: `${takeover.join('\n')}\n` });
}

/** Whether a route's gateway is in the network of one of these addresses. */
function leadsThrough(route: string, addresses: readonly string[]): boolean {
  const gateway = / via (\S+)/.exec(route)?.[1] ?? '';
  return isIPv4(gateway) && addresses.some((cidr) => isWithin(gateway, networkOf(cidr)));
}
