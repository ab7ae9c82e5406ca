/** The features of a lab, detected by trying them on the lab. A suite states what it needs, and is skipped where that is missing. */
import { MacvlabError } from '../../core/error.js';
import type { EngineKind } from '../../engine/networking.js';
import type { Change } from '../../link/change.js';
import { setUp } from '../../link/device.js';
import { LinkError } from '../../link/errno.js';
import { addMacvlan, type MacvlanMode } from '../../link/macvlan.js';
import { MissingPrerequisite, type LackKind } from '../../core/missing-prerequisite.js';
import type { Lab } from '../lab.js';
import { Tap } from './tap.js';

const trials = {
  ipv6: tryIpv6,
  vlan: tryVlan,
  'bridge vlan filtering': tryVlanFiltering,
  macvtap: tryMacvtap,
  dummy: tryDummy,
  'linux bridge': tryLinuxBridge,
  'unicast filter': tryUnicastFilter,
  'macvlan nodst': tryNodst,
  'uplink may be cut': (lab: Lab) => Promise.resolve(lab.machines.external?.uncuttable),
  docker: (lab: Lab) => tryEngine(lab, 'docker'),
  podman: (lab: Lab) => tryEngine(lab, 'podman'),
  cni: (lab: Lab) => tryEngine(lab, 'cni'),
};

export type Feature = keyof typeof trials | `macvlan mode ${MacvlanMode}`;

/** Features of the links between nodes. No lab with all nodes on one kernel has them, so that `auto` has no other lab to try. */
export const featuresOfLinks: ReadonlySet<Feature> = new Set(['unicast filter']);

/** The kind of a missing feature: a lab with its own engines lacks an engine, any other lab the feature. */
export function lackKindOf({ machines }: Lab, feature: Feature): LackKind {
  return !machines.external && machines.engines !== undefined && ['docker', 'podman', 'cni'].includes(feature)
    ? 'engine'
    : 'feature';
}

/**
 * Why a lab lacks a feature; undefined when it has it. Only what the kernel does not support counts as missing. The
 * experiment examines what the kernel supports and refuses.
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

/** Whether the switch is a Linux bridge, for behaviour that differs between switches. */
function tryLinuxBridge({ switch: sw }: Lab): Promise<string | undefined> {
  return Promise.resolve(
    sw.isReached ? undefined : 'needs a Linux bridge as the switch: other switches treat these tags differently',
  );
}

/**
 * Whether the parent's driver filters unicast frames by their MAC address (IFF_UNICAST_FLT). Without that the kernel
 * makes the parent promiscuous for the first child that comes up (dev_addr_lists.c and dev.c, __dev_set_rx_mode), and
 * the parent stays promiscuous.
 */
async function tryUnicastFilter(lab: Lab): Promise<string | undefined> {
  const { node1 } = lab;
  const { stack, device } = node1;
  // A dry run uses veth, independent of the hosts' NICs.
  if (lab.machines.external?.alone)
    return 'cannot be tried in a dry run: where the NIC filters unicast frames, hosts are given the pings of the next experiment, and nothing is set promiscuous';
  let promiscuity: number | undefined;
  const what = 'a parent that filters unicast frames (IFF_UNICAST_FLT)';
  const why = await attempt(lab, what, async () => {
    await node1.macvlan({ name: 'try', mode: 'bridge' });
    await node1.apply(setUp(stack, 'try', true));
    ({ promiscuity } = await node1.link());
  });
  if (why !== undefined || promiscuity === 0) return why;
  return `needs ${what}: with a child that is up, ${device} of ${node1.name} has promiscuity ${promiscuity ?? 'that ip does not show'}; run it with \`--lab vm --guests 3\`, or on hosts`;
}

/** The flag of mode source that keeps a source's frames from the parent when a child receives them; kernels before 5.10 skip it. */
async function tryNodst(lab: Lab): Promise<string | undefined> {
  const { node1 } = lab;
  let shown: unknown;
  const what = 'macvlan flag nodst';
  const why = await attempt(lab, what, async () => {
    const { linkinfo } = await node1.macvlan({ name: 'try', mode: 'source', flags: ['nodst'] });
    shown = linkinfo?.info_data?.nodst;
  });
  return why ?? (shown === true ? undefined : `${what}: accepted, and the kernel does not show it`);
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

/** An engine that already runs on the first node keeps running for later users: its start takes long. */
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

/** Does work in a separate scope. Returns why it is not supported; undefined when it is. */
async function attempt(lab: Lab, what: string, work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await lab.scopes.within(`trying ${what}`, work);
    return undefined;
  } catch (error) {
    if (error instanceof MissingPrerequisite) return error.message;
    if (error instanceof LinkError) return error.code === 'LINK_UNSUPPORTED' ? `${what}: ${error.stderr}` : undefined;
    // A kernel that does not support an attribute of a bridge accepts it, and then does not show it.
    if (error instanceof MacvlabError && error.code === 'LINK_IGNORED') return `${what}: ${error.message}`;
    throw error;
  }
}
