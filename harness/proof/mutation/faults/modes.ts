/** Faults of the kernel with modes: the wrong mode at creation, a mode that changes later, or a mode that is lost. */
import { type Injection, framesBehind, type Fault, replaceWord } from '../fault.js';

const answeredInstead = /expected the ping from ns1 to ns2 .* to be lost/;

function madeAs(asked: string, made: string): RegExp {
  return new RegExp(`macvlan mode of ns1’s child: expected '${made}' to equal '${asked}'`);
}

/** Changes the mode of each container's child, after the child was made and read back. */
function changedBehind(mode: string, namespaces = ['node1-ns1', 'node1-ns2']): Injection[] {
  return namespaces.map((namespace) => ({
    way: 'behind',
    command: new RegExp(`^ip -n ${namespace} -j -d address show dev eth0`),
    script: `ip -n ${namespace} link set dev eth0 type macvlan mode ${mode}`,
  }));
}

export const modes: readonly Fault[] = [
  {
    id: 'modes/private-made-as-bridge',
    of: 'network',
    imitates: 'a kernel that makes a child of mode bridge where private was asked for',
    injections: [replaceWord(/type macvlan mode private/, 'private', 'bridge')],
    experiments: ['A1.2', 'A0.5', 'A1.6'],
    expected: { verdict: 'failed', reason: madeAs('private', 'bridge') },
  },
  {
    id: 'modes/vepa-made-as-bridge',
    of: 'network',
    imitates:
      'a kernel that makes a child of mode bridge where vepa was asked for; looked for in all that is about children',
    injections: [replaceWord(/type macvlan mode vepa/, 'vepa', 'bridge')],
    experiments: ['A1', 'X1', 'X3'],
    expected: { verdict: 'failed', reason: madeAs('vepa', 'bridge') },
  },
  {
    id: 'modes/private-made-as-vepa',
    of: 'network',
    imitates:
      'a kernel that makes a child of mode vepa where private was asked for, which looks the same on the wire of most switches',
    injections: [replaceWord(/type macvlan mode private/, 'private', 'vepa')],
    experiments: ['A1.2', 'A0.5'],
    expected: { verdict: 'failed', reason: madeAs('private', 'vepa') },
  },
  {
    id: 'modes/bridge-made-as-private',
    of: 'network',
    imitates: 'a kernel that makes a child of mode private where bridge was asked for',
    injections: [replaceWord(/type macvlan mode bridge/, 'bridge', 'private')],
    experiments: ['A4.1', 'A4.2'],
    expected: { verdict: 'failed', reason: /ARP request last seen at switch\/node1 in, never at switch\/node1 out/ },
  },
  {
    id: 'modes/private-changed-behind-the-back',
    of: 'network',
    imitates: 'somebody who changes children from private to bridge once they have been made and read back',
    injections: changedBehind('bridge'),
    experiments: ['A1.2'],
    expected: { verdict: 'failed', reason: answeredInstead },
  },
  {
    id: 'modes/bridge-changed-behind-the-back',
    of: 'network',
    imitates: 'somebody who changes children from bridge to vepa once they have been made and read back',
    injections: changedBehind('vepa'),
    experiments: ['A1.1'],
    expected: { verdict: 'failed', reason: /ARP request last seen at node1\/ns1\/eth0, never at node1\/ns2\/eth0/ },
  },
  {
    id: 'modes/private-leaks',
    of: 'network',
    imitates: 'a private child whose broadcast, reflected by a hairpin switch, reaches its sibling',
    injections: changedBehind('vepa'),
    experiments: ['A1.6'],
    expected: { verdict: 'failed', reason: answeredInstead },
  },
  {
    id: 'modes/another-default',
    of: 'network',
    imitates: 'a kernel whose mode is another where none is asked for',
    injections: [
      {
        way: 'rewrite',
        command: /link add link eth1 name mac. type macvlan$/,
        to: (argv) => [...argv, 'mode', 'bridge'],
      },
    ],
    experiments: ['A0.2'],
    expected: { verdict: 'failed', reason: /expected mac1 to be a macvlan of mode vepa, it is bridge/ },
  },
  {
    id: 'modes/passthru-not-alone',
    of: 'network',
    imitates: 'a kernel that accepts a second child beside one of mode passthru',
    injections: [
      {
        way: 'rewrite',
        command: /name mac2 type macvlan mode (bridge|passthru)/,
        to: () => ['ip', 'link', 'add', 'name', 'mac2', 'type', 'veth', 'peer', 'name', 'mac3'],
      },
    ],
    experiments: ['A0.8'],
    expected: { verdict: 'failed', reason: /expected the kernel to refuse this, it accepted it/ },
  },
  {
    id: 'modes/source-gives-all',
    of: 'network',
    imitates: 'a child of mode source that is given what an unlisted source sends',
    injections: [
      {
        way: 'behind',
        command: /type macvlan mode source macaddr set/,
        script:
          'set -- $(ip -n node2 -br link show dev eth1); ip -n node1-ns1 link set dev eth0 type macvlan mode source macaddr add "$3"',
      },
    ],
    experiments: ['X4.1'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to node2 .* to be lost/ },
  },
  {
    id: 'modes/source-without-copies',
    of: 'network',
    imitates: 'a child of mode source that gets no copy of what a listed MAC sends to the parent',
    injections: changedBehind('vepa', ['node1-ns1']),
    experiments: ['X4.2'],
    expected: { verdict: 'failed', reason: /expected echo request .* to be seen at node1\/ns1\/eth0/ },
  },
  {
    id: 'modes/nodst-ignored',
    of: 'network',
    imitates: 'a kernel that accepts nodst with a list of sources, and lets the parent keep its frames',
    injections: [replaceWord(/type macvlan mode source nodst macaddr/, 'nodst')],
    experiments: ['X4.3'],
    expected: { verdict: 'failed', reason: /expected the ping from router to node1/ },
  },
  {
    id: 'modes/private-knows-its-parent',
    of: 'network',
    imitates: 'a private child that has its parent’s MAC address without a reply',
    injections: [
      {
        way: 'behind',
        command: /^ip -n node1-ns1 -j -d address show dev eth0/,
        script:
          'set -- $(ip -n node1 -br link show dev eth1); ip -n node1-ns1 neighbour replace 10.211.55.18 lladdr "$3" dev eth0 nud permanent',
      },
    ],
    experiments: ['x5-private-child-to-parent-ipv4'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to node1/ },
  },
  {
    id: 'modes/nopromisc-ignored',
    of: 'network',
    imitates: 'a kernel that sets the parent promiscuous for a passthru child in spite of nopromisc',
    injections: [replaceWord(/type macvlan mode passthru nopromisc/, 'nopromisc')],
    experiments: ['a0-passthru-nopromisc-promiscuity'],
    expected: { verdict: 'failed', reason: /promiscuity of the parent: expected 1 to equal \+0/ },
  },
  {
    id: 'modes/bridge-by-way-of-the-parent',
    of: 'network',
    imitates: 'a child of mode bridge whose frames to siblings take the way over the parent; seen by counters alone',
    injections: changedBehind('vepa'),
    experiments: ['a0-cost-between-siblings'],
    expected: { verdict: 'failed', reason: /bytes that the parent sent/ },
  },
  {
    id: 'modes/sibling-frames-leak',
    of: 'network',
    imitates: 'frames between siblings of mode bridge of which a copy leaves through the uplink',
    injections: [
      {
        way: 'behind',
        command: /^ip -n node1-ns1 link set dev eth0 up/,
        script:
          'ip -n node1 link add link eth1 name leak netns node1-ns1 type macvlan mode private; ip -n node1-ns1 link set dev leak up',
      },
      framesBehind(
        /^ip -n node1-ns1 link set dev eth0 up/,
        'node1-ns1',
        'eth0',
        'egress',
        'ip protocol icmp dup to "leak"',
      ),
    ],
    experiments: ['A0.7', 'a1-bridge-to-sibling'],
    expected: { verdict: 'failed', reason: /did not expect echo request .* to be seen at switch\/node1 in/ },
  },
];
