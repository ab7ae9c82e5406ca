/** The known differences between kernels, with reasons and sources, as data. */
import type { KnownDifference, KnownFeature } from './known-difference.js';

/** A feature that only the kernels in a range support. */
function feature(name: string, kernels: string, reason: string, source: string): KnownFeature {
  return { name, about: { feature: name }, kernels, expected: 'supported', reason, source };
}

/** The known differences of macvlab's experiments and features. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'reflected multicast reaches bridge siblings twice',
    about: {
      experiment: 'x3-multicast-bridge-hairpin-on',
      observed: 'copies of a reflected multicast at a bridge sibling',
    },
    kernels: '>=7.1',
    expected: 2,
    reason:
      'macvlan_multicast_rx() gives a group frame that comes back with a child’s own source MAC to the children in mode bridge too, who have seen it on its way out: it cannot be told from that of another sender with the same MAC (VRRP)',
    source: 'b52363f706e5 "net: macvlan: support multicast rx for bridge ports with shared source MAC" (7.1)',
  },
  {
    name: 'reflected multicast comes back to its sender',
    about: { experiment: 'x3-multicast-bridge-hairpin-on', observed: 'times that its sender sees it' },
    kernels: '>=7.1',
    expected: 2,
    reason:
      'macvlan_multicast_rx() no longer leaves out the child whose source MAC the frame has; with IPv6, duplicate address detection without a nonce (enhanced_dad=0) takes it for a neighbour’s',
    source: 'b52363f706e5 "net: macvlan: support multicast rx for bridge ports with shared source MAC" (7.1)',
  },
  feature(
    'nodst',
    '>=5.10.249 <5.11 || >=5.13',
    'the flag was added to mode source in 5.13, and taken back to 5.10.249; older kernels refuse its bit',
    '427f0c8c194b "macvlan: Add nodst option to macvlan type source" (5.13)',
  ),
  feature(
    'bcqueuelen',
    '>=5.11',
    'the length of the broadcast queue was a constant before; an attribute that a kernel does not know is skipped',
    'd4bff72c8401 "macvlan: Support for high multicast packet rate" (5.11)',
  ),
  feature(
    'bclim',
    '>=6.4',
    'groups with few members pass by the broadcast queue since then; an attribute that a kernel does not know is skipped',
    '954d1fa1ac93 "macvlan: Add netlink attribute for broadcast cutoff" (6.4)',
  ),
  feature(
    'locked',
    '>=5.18',
    'the port flag was added; an attribute that a kernel does not know is skipped',
    'a21d9a670d81 "net: bridge: Add support for bridge port in locked mode" (5.18)',
  ),
  feature(
    'mab',
    '>=6.2',
    'the port flag was added; an attribute that a kernel does not know is skipped',
    'a35ec8e38cdd "bridge: Add MAC Authentication Bypass (MAB) support" (6.2)',
  ),
  feature(
    'neigh_vlan_suppress',
    '>=6.4',
    'the port flag was added; an attribute that a kernel does not know is skipped',
    '412614b1457a "bridge: Add per-{Port, VLAN} neighbor suppression data path support" (6.4)',
  ),
  feature(
    'mcast_max_groups 5',
    '>=6.3',
    'the limit was added; an attribute that a kernel does not know is skipped',
    'a1aee20d5db2 "net: bridge: Add netlink knobs for number / maximum MDB entries" (6.3)',
  ),
  feature(
    'mcast_vlan_snooping 1',
    '>=5.15',
    'snooping by VLAN was added, as one of the bridge’s boolean options; those that a kernel does not know are skipped (br_boolopt_multi_toggle)',
    'f4b7002a7076 "net: bridge: add vlan mcast snooping knob" (5.15)',
  ),
  feature(
    'mst_enabled 1',
    '>=5.18',
    'the mode was added, as one of the bridge’s boolean options; those that a kernel does not know are skipped (br_boolopt_multi_toggle)',
    'ec7328b59176 "net: bridge: mst: Multiple Spanning Tree (MST) mode" (5.18)',
  ),
  feature(
    'fdb_max_learned 100',
    '>=6.7',
    'the limit was added; an attribute that a kernel does not know is skipped',
    'ddd1ad68826d "net: bridge: Add netlink knobs for number / max learned FDB entries" (6.7)',
  ),
];
