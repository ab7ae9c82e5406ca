/** What a lab can do, found by trying on the lab: a suite states what it needs, and is skipped where that is missing. */
import { MacvlabError } from '../core/error.js';
import type { EngineKind } from '../engine/networking.js';
import type { Change } from '../link/change.js';
import { LinkError } from '../link/errno.js';
import { addMacvlan, type MacvlanMode } from '../link/macvlan.js';
import { Lacking, type LackKind } from './lacking.js';
import type { Lab } from './lab.js';
import { Tap } from './tap.js';

const trials = {
  ipv6: tryIpv6,
  vlan: tryVlan,
  'bridge vlan filtering': tryVlanFiltering,
  macvtap: tryMacvtap,
  dummy: tryDummy,
  'uplink may be cut': (lab: Lab) => Promise.resolve(lab.machines.premises?.uncuttable),
  docker: (lab: Lab) => tryEngine(lab, 'docker'),
  podman: (lab: Lab) => tryEngine(lab, 'podman'),
  cni: (lab: Lab) => tryEngine(lab, 'cni'),
};

export type Feature = keyof typeof trials | `macvlan mode ${MacvlanMode}`;

/** What a lab lacks where it cannot do something: one with engines of its own lacks an engine, any other the feature. */
export function lackKindOf({ machines }: Lab, feature: Feature): LackKind {
  return machines.engines !== undefined && ['docker', 'podman', 'cni'].includes(feature) ? 'engine' : 'feature';
}

/**
 * Why a lab cannot do something; undefined when it can. Only what the kernel does not know counts as missing: what it
 * knows and refuses is for the experiment to find out.
 */
export async function whyNot(lab: Lab, feature: Feature): Promise<string | undefined> {
  if (feature in trials) return trials[feature as keyof typeof trials](lab);
  return tryMode(lab, feature.replace('macvlan mode ', '') as MacvlanMode);
}

async function tryIpv6({ node1 }: Lab): Promise<string | undefined> {
  const { status } = await node1.stack.run(['test', '-e', '/proc/sys/net/ipv6/conf/all/forwarding'], 'reading');
  return status === 0 ? undefined : 'the kernel has no IPv6 (CONFIG_IPV6, or ipv6.disable=1)';
}

async function tryMode(lab: Lab, mode: MacvlanMode): Promise<string | undefined> {
  const { stack, device } = lab.node1;
  const work = async () => {
    lab.node1.childMac(mode);
    await lab.node1.apply(addMacvlan(stack, { name: 'try', parent: device, mode }));
  };
  return attempt(lab, `macvlan mode ${mode}`, work);
}

async function tryVlan(lab: Lab): Promise<string | undefined> {
  return attempt(lab, 'VLAN sub-interfaces (CONFIG_VLAN_8021Q)', () => lab.node1.vlan(4094));
}

async function tryDummy(lab: Lab): Promise<string | undefined> {
  const { stack } = lab.node1;
  const dummy: Change = {
    stack,
    what: 'add a dummy device',
    command: ['ip', 'link', 'add', 'name', 'try', 'type', 'dummy'],
    undo: () => ['ip', 'link', 'delete', 'dev', 'try'],
  };
  return attempt(lab, 'dummy devices (CONFIG_DUMMY)', () => lab.node1.apply(dummy));
}

async function tryVlanFiltering(lab: Lab): Promise<string | undefined> {
  const what = 'a switch that tells VLANs apart (CONFIG_BRIDGE_VLAN_FILTERING)';
  return attempt(lab, what, () => lab.switch.filterVlans());
}

async function tryMacvtap(lab: Lab): Promise<string | undefined> {
  let path: string | undefined;
  const why = await attempt(lab, 'macvtap (CONFIG_MACVTAP)', async () => {
    const tap = await Tap.make(lab.node1, 'try');
    if (!(await tap.deviceNode()).exists) path = tap.path;
  });
  return why ?? (path && `macvtap: the link is there, and ${path} is not: /dev of this lab is no devtmpfs`);
}

/** An engine that runs on the first node goes on, for who needs it: it takes long to start. */
async function tryEngine(lab: Lab, kind: EngineKind): Promise<string | undefined> {
  try {
    await lab.containerHost(lab.node1, kind);
    return undefined;
  } catch (error) {
    if (!(error instanceof MacvlabError) || !['ENGINE_MISSING', 'ENGINE_REFUSED'].includes(error.code)) throw error;
    const said = error.evidence?.split('\n').at(-1);
    return `${error.message}${said === undefined ? '' : ` (${said})`}: ${error.next}`;
  }
}

/** Does work in a stretch of its own, which must be possible. */
async function attempt(lab: Lab, what: string, work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await lab.scopes.within(`trying ${what}`, work);
    return undefined;
  } catch (error) {
    if (error instanceof Lacking) return error.message;
    if (error instanceof LinkError) return error.code === 'LINK_UNSUPPORTED' ? `${what}: ${error.words}` : undefined;
    // A kernel that does not know an attribute of a bridge accepts it, and shows nothing of it afterwards.
    if (error instanceof MacvlabError && error.code === 'LINK_IGNORED') return `${what}: ${error.message}`;
    throw error;
  }
}
