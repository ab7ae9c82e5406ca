/** What a lab can do, found by trying on the lab: a suite states what it needs, and is skipped where that is missing. */
import { LinkError } from '../link/errno.js';
import { addMacvlan, type MacvlanMode } from '../link/macvlan.js';
import type { Lab } from './lab.js';

export type Feature = 'ipv6' | `macvlan mode ${MacvlanMode}`;

/**
 * Why a lab cannot do something; undefined when it can. Only what the kernel does not know counts as missing: what it
 * knows and refuses is for the experiment to find out.
 */
export async function whyNot(lab: Lab, feature: Feature): Promise<string | undefined> {
  if (feature === 'ipv6') return tryIpv6(lab);
  return tryMode(lab, feature.replace('macvlan mode ', '') as MacvlanMode);
}

async function tryIpv6({ node1 }: Lab): Promise<string | undefined> {
  const { status } = await node1.stack.run(['test', '-e', '/proc/sys/net/ipv6/conf/all/forwarding'], 'reading');
  return status === 0 ? undefined : 'the kernel has no IPv6 (CONFIG_IPV6, or ipv6.disable=1)';
}

async function tryMode(lab: Lab, mode: MacvlanMode): Promise<string | undefined> {
  try {
    await lab.scopes.within(`trying mode ${mode}`, () =>
      lab.node1.apply(addMacvlan(lab.node1.stack, { name: 'try', parent: lab.node1.device, mode })),
    );
    return undefined;
  } catch (error) {
    if (error instanceof LinkError && error.code === 'LINK_UNSUPPORTED') return `macvlan mode ${mode}: ${error.words}`;
    if (error instanceof LinkError) return undefined;
    throw error;
  }
}
