/** Faults of VLANs, in a lab that has them. */
import { type Fault, replaceWord } from '../fault.js';

/** Matches a command that makes a port a trunk (harness/link/bridge-vlan.ts). */
const trunkOf = (port: string) => new RegExp(`bridge vlan delete dev ${port} vid 1-4094`);

function behindTrunk(port: string, line: string) {
  return { way: 'behind', command: trunkOf(port), script: `in_stack switch bridge vlan ${line}` } as const;
}

export const vlans: readonly Fault[] = [
  {
    id: 'vlans/leak',
    of: 'network',
    imitates: 'a container of VLAN 20 that is in VLAN 10',
    injections: [replaceWord(/link add link eth1.20 name eth0 netns node2-c4/, 'eth1.20', 'eth1.10')],
    experiments: ['A2.2'],
    expected: { verdict: 'failed', reason: /expected the ping from c1 to c4 .* to be lost/ },
  },
  {
    id: 'vlans/tag-stripped',
    of: 'network',
    imitates: 'a trunk that takes the tag of VLAN 10 off on the way to one node',
    injections: [behindTrunk('node2', 'add dev node2 vid 10 untagged')],
    experiments: ['a2-vlan-10-across-trunk', 'A2.3'],
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: router to c2/ },
  },
  {
    id: 'vlans/native-swapped',
    of: 'network',
    imitates: 'a trunk whose native VLAN is another than the one that was set',
    injections: [behindTrunk('node1', 'add dev node1 vid 20 pvid untagged')],
    experiments: ['A2.3'],
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: / },
  },
  {
    id: 'vlans/pruned-and-carried',
    of: 'network',
    imitates: 'a trunk that carries a VLAN which it was told not to',
    injections: [behindTrunk('node2', 'add dev node2 vid 10')],
    experiments: ['A2.4'],
    expected: { verdict: 'failed', reason: /expected the ping from c1 to c2 .* to be lost/ },
  },
  {
    id: 'vlans/not-told-apart',
    of: 'network',
    imitates: 'a switch that takes VLANs for one network',
    injections: [
      {
        way: 'behind',
        command: trunkOf('node2'),
        script: 'ip -n switch link set dev br0 type bridge vlan_filtering 0',
      },
    ],
    experiments: ['A2.4'],
    expected: { verdict: 'failed', reason: /expected the ping from c1 to c2 .* to be lost/ },
  },
  {
    id: 'vlans/routed-although-off',
    of: 'network',
    imitates: 'a router that passes from VLAN to VLAN although it was told not to',
    injections: [
      {
        way: 'behind',
        command: /forwarding|ip_forward/,
        script: "in_stack router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'",
      },
    ],
    experiments: ['a2-router-off-ipv4', 'A2.6'],
    expected: { verdict: 'failed', reason: /expected the ping from .* to be lost/ },
  },
];
