/** Faults of children: in the wrong place, with the wrong address, on the wrong parent. */
import { frames, type Fault, replaceWord } from '../fault.js';

/** Adds words to the command that makes a child, before its type. */
function beforeType(...more: string[]) {
  return (argv: readonly string[]) => {
    const type = argv.indexOf('type');
    return [...argv.slice(0, type), ...more, ...argv.slice(type)];
  };
}

export const children: readonly Fault[] = [
  {
    id: 'children/on-another-node',
    of: 'network',
    imitates: 'a container of Node-2 whose child sits on the parent of Node-1, so that all pings are answered',
    injections: [
      {
        way: 'rewrite',
        command: /^ip link add link eth1 name macvlan1 netns node2-docker2/,
        to: ([, ...rest]) => ['ip', '-n', 'node1', ...rest],
      },
    ],
    experiments: ['A3'],
    expected: { verdict: 'failed', reason: /expected ARP reply .* to be seen at node2\/eth1 out/ },
  },
  {
    id: 'children/in-the-wrong-namespace',
    of: 'network',
    imitates: 'a child that lands in its node’s own namespace instead of the container’s',
    injections: [replaceWord(/name eth0 netns node1-ns2/, 'node1-ns2', 'node1')],
    experiments: ['A1.1'],
    expected: { verdict: 'error', reason: /LINK_REFUSED: node1\/ns2: .*Cannot find device/ },
  },
  {
    id: 'children/mac-not-local',
    of: 'network',
    imitates: 'a kernel that gives a child a MAC from a maker’s range',
    injections: [
      {
        way: 'rewrite',
        command: /link add link eth1 name mac. type macvlan$/,
        to: beforeType('address', '00:16:3e:00:00:01'),
      },
    ],
    experiments: ['A0.2'],
    expected: { verdict: 'failed', reason: /is locally administered/ },
  },
  {
    id: 'children/mac-ignored',
    of: 'network',
    imitates: 'a kernel that gives a child another MAC than the one that was set by hand',
    injections: [replaceWord(/address 02:00:5e:00:53:01/, '02:00:5e:00:53:01', '02:00:5e:00:53:99')],
    experiments: ['a0-mac-locally-administered'],
    expected: { verdict: 'failed', reason: /expected '02:00:5e:00:53:99' to equal '02:00:5e:00:53:01'/ },
  },
  {
    id: 'children/mac-in-use-accepted',
    of: 'network',
    imitates: 'a kernel that lets a child have the MAC of its parent',
    injections: [
      {
        way: 'rewrite',
        command: /^ip link set dev mac1 up/,
        to: () => ['sh', '-c', 'ip link set dev mac1 address 02:00:00:00:00:07 && ip link set dev mac1 up'],
      },
    ],
    experiments: ['a0-mac-of-parent'],
    expected: { verdict: 'failed', reason: /expected the kernel to refuse this with EADDRINUSE, it accepted it/ },
  },
  {
    id: 'children/refused-for-another-reason',
    of: 'network',
    imitates: 'a kernel that refuses a MAC in use, but for a reason that has nothing to do with it',
    injections: [replaceWord(/^ip link set dev mac1 up/, 'up', 'mtu', '999999')],
    experiments: ['a0-mac-of-parent'],
    expected: { verdict: 'failed', reason: /expected the kernel to refuse this with EADDRINUSE, it said:/ },
  },
  {
    id: 'children/same-mac-on-two-nodes',
    of: 'network',
    imitates: 'two containers on two nodes with the same MAC',
    injections: [
      { way: 'rewrite', command: /name macvlan1 netns node.-docker/, to: beforeType('address', '02:00:5e:00:53:aa') },
    ],
    experiments: ['A3.1', 'A3.3'],
    expected: {
      verdict: 'failed',
      reason: /ARP request last seen at switch\/node2 out, never at node2\/docker2\/macvlan1/,
    },
  },
  {
    id: 'children/mtu-smaller',
    of: 'network',
    imitates: 'a child whose MTU is smaller than its parent’s',
    injections: [
      {
        way: 'rewrite',
        command: /link add link eth1 name mac1 type macvlan mode bridge/,
        to: beforeType('mtu', '600'),
      },
    ],
    experiments: ['A0.3'],
    expected: { verdict: 'failed', reason: /MTU of the child/ },
  },
  {
    id: 'children/leave-their-parent-promiscuous',
    of: 'network',
    imitates: 'children that are gone, and have left their parent promiscuous',
    injections: [
      {
        way: 'behind',
        command: /^ip -n node1-ns1 link delete dev eth0/,
        script: 'ip -n node1 link set dev eth1 promisc on',
      },
    ],
    experiments: ['A1.7'],
    expected: {
      verdict: 'failed',
      reason: /flags and promiscuity of node1’s links behind mode bridge: expected .* to deeply equal/,
    },
  },
  {
    id: 'children/parent-promiscuous',
    of: 'network',
    imitates: 'a parent that is promiscuous although it was set not to be',
    injections: [
      {
        way: 'behind',
        command: /^ip link set dev eth1 promisc off/,
        script: 'ip -n node1 link set dev eth1 promisc on',
      },
    ],
    experiments: ['a1-promiscuous-bridge-children'],
    expected: { verdict: 'failed', reason: /promiscuity of the parent: expected 4 to equal 3/ },
  },
  {
    id: 'children/parent-comes-up-again',
    of: 'network',
    imitates: 'a parent that was set down, and comes up by itself',
    injections: [{ way: 'behind', command: /^ip link set dev eth1 down/, script: 'ip -n node1 link set dev eth1 up' }],
    experiments: ['A4.9'],
    expected: { verdict: 'failed', reason: /ns1 to node2: expected 1 to equal \+0/ },
  },
  {
    id: 'children/broadcast-queue-stuck',
    of: 'network',
    imitates: 'a parent whose queue of broadcasts for its children takes none',
    injections: [{ way: 'rewrite', command: /type macvlan mode bridge/, to: (argv) => [...argv, 'bcqueuelen', '0'] }],
    experiments: ['x1-bridge-hairpin-off-other-host'],
    // No host gets an ARP reply from the child. The control that separates the kernel from a broken lab does not pass.
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: router to ns1/ },
  },
  {
    id: 'children/sibling-mac-accepted',
    of: 'network',
    imitates: 'a kernel that lets two children of one parent have the same MAC',
    injections: [
      {
        way: 'rewrite',
        command: /^ip link set dev mac2 up/,
        to: () => ['sh', '-c', 'ip link set dev mac2 address 02:00:00:00:00:07 && ip link set dev mac2 up'],
      },
    ],
    experiments: ['a0-mac-of-sibling'],
    expected: { verdict: 'failed', reason: /expected the kernel to refuse this with EADDRINUSE, it accepted it/ },
  },
  {
    id: 'children/multicast-mac-accepted',
    of: 'network',
    imitates: 'a kernel that takes a multicast MAC for a child',
    injections: [replaceWord(/03:00:00:00:00:01/, '03:00:00:00:00:01', '02:00:00:00:00:01')],
    experiments: ['a0-mac-multicast'],
    expected: { verdict: 'failed', reason: /expected the kernel to refuse this with EADDRNOTAVAIL, it accepted it/ },
  },
  {
    id: 'children/of-another-host-out-of-reach',
    of: 'network',
    imitates: 'a parent that takes nothing for its children from two senders, while its own address works',
    injections: [
      frames(
        'node2',
        'eth1',
        'ingress',
        'ip saddr 192.168.245.1 ip daddr 192.168.245.181 drop',
        'ip saddr 192.168.179.12 ip daddr 192.168.179.14 drop',
      ),
    ],
    experiments: ['A3.2', 'A4.4'],
    expected: { verdict: 'failed', reason: /echo request last seen at switch\/node2 out, never at node2\/ns3\/mac1/ },
  },
];
