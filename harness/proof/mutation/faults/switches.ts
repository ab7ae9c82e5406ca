/** Faults of the switch or the router. */
import { frames, type Fault } from '../fault.js';

export const switches: readonly Fault[] = [
  {
    id: 'switch/hairpin-stuck-on',
    of: 'network',
    imitates: 'a switch port that reflects although nobody has told it to; looked for in all that is about children',
    injections: [{ way: 'wired', script: 'in_stack switch bridge link set dev node1 hairpin on' }],
    experiments: ['A1', 'A0.6', 'A0.13', 'A4.7'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to ns2 .* to be lost/ },
  },
  {
    id: 'switch/hairpin-stuck-off',
    of: 'network',
    imitates: 'a switch port that stops reflecting once it has been read back',
    injections: [
      {
        way: 'behind',
        command: /^bridge link set dev node1 hairpin on/,
        script: 'in_stack switch bridge link set dev node1 hairpin off',
      },
    ],
    experiments: ['A1.4', 'A0.6', 'A1.6'],
    expected: { verdict: 'failed', reason: /ARP request last seen at switch\/node1 in, never at switch\/node1 out/ },
  },
  {
    id: 'switch/hairpin-does-not-go-off',
    of: 'network',
    imitates:
      'a switch port that begins to reflect again once it has been read back as not reflecting; looked for in all modes',
    injections: [
      {
        way: 'behind',
        command: /^bridge link set dev node1 hairpin off/,
        script: 'in_stack switch bridge link set dev node1 hairpin on',
      },
    ],
    experiments: ['X1', 'X2', 'X3'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to node1 .* to be lost/ },
  },
  {
    id: 'switch/hairpin-goes-off',
    of: 'network',
    imitates: 'a switch port that stops reflecting once it has been read back; looked for between child and parent',
    injections: [
      {
        way: 'behind',
        command: /^bridge link set dev node1 hairpin on/,
        script: 'in_stack switch bridge link set dev node1 hairpin off',
      },
    ],
    experiments: ['X1.4', 'X1.5', 'X2.4', 'X2.5'],
    expected: { verdict: 'failed', reason: /last seen at switch\/node1 in, never at switch\/node1 out/ },
  },
  {
    id: 'router/silent-to-a-child',
    of: 'network',
    imitates:
      'a gateway that answers neither the ARP requests nor the neighbour solicitations of one container; looked for in all modes',
    injections: [
      frames(
        'router',
        'eth1',
        'egress',
        'arp operation reply arp daddr ip 10.211.55.101 drop',
        'icmpv6 type nd-neighbor-advert ip6 daddr fd00:211:55::101 drop',
      ),
    ],
    experiments: ['X1.2', 'X2.2'],
    expected: {
      verdict: 'failed',
      reason: /(ARP request|neighbour solicitation) arrived at router\/eth1, and nothing came back from there/,
    },
  },
  {
    id: 'switch/ports-isolated',
    of: 'network',
    imitates: 'a switch that keeps two of its ports apart',
    injections: [
      {
        way: 'wired',
        script: 'for port in node1 node2; do in_stack switch bridge link set dev $port isolated on; done',
      },
    ],
    experiments: ['A1.1', 'A3.1'],
    expected: { verdict: 'failed', reason: /ARP request last seen at switch\/node1 in, never at switch\/node2 out/ },
  },
  {
    id: 'switch/is-a-hub',
    of: 'network',
    imitates: 'a switch that learns nothing, and sends every frame to everybody',
    injections: [
      {
        way: 'wired',
        script:
          'for port in node1 node2 router; do in_stack switch bridge link set dev $port learning off; done; in_stack switch ip link set dev br0 type bridge fdb_flush',
      },
    ],
    experiments: ['A3'],
    expected: { verdict: 'failed', reason: /did not expect ARP reply .* to be seen at switch\/router out/ },
  },
  {
    id: 'switch/no-broadcasts-to-a-port',
    of: 'network',
    imitates: 'a switch that sends no broadcasts to one of its ports',
    injections: [{ way: 'wired', script: 'in_stack switch bridge link set dev node2 bcast_flood off' }],
    experiments: ['a1-bridge-to-other-host'],
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: router to node2/ },
  },
  {
    id: 'switch/no-multicasts-to-a-port',
    of: 'network',
    imitates: 'a switch that sends no multicasts to one of its ports: IPv6 is broken, IPv4 works',
    injections: [{ way: 'wired', script: 'in_stack switch bridge link set dev node2 mcast_flood off' }],
    experiments: ['x1-bridge-hairpin-off-other-host', 'x2-bridge-hairpin-off-other-host'],
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: router to node2 \(fd00/ },
  },
  {
    id: 'switch/same-mac-on-two-nodes',
    of: 'network',
    imitates: 'a gateway with the MAC of another host',
    injections: [
      {
        way: 'wired',
        script: 'set -- $(ip -n node2 -br link show dev eth1); ip -n router link set dev eth1 address "$3"',
      },
    ],
    experiments: ['A1.1'],
    expected: { verdict: 'failed', reason: /expected echo reply .* source .* to be seen at node1\/ns1\/eth0/ },
  },
  {
    id: 'router/ttl-not-decremented',
    of: 'network',
    imitates: 'a router that does not count itself as a hop',
    injections: [frames('router', 'eth1', 'egress', 'ip ttl 63 ip ttl set 64')],
    experiments: ['A4.5'],
    expected: { verdict: 'failed', reason: /expected echo request .* ttl 63 .*to be seen at node1\/ns1\/mac1/ },
  },
  {
    id: 'router/does-not-forward',
    of: 'network',
    imitates: 'a router that passes nothing on',
    injections: [{ way: 'wired', script: "in_stack router sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'" }],
    experiments: ['A4.6'],
    expected: { verdict: 'failed', reason: /echo request last seen at client\/eth1, never at switch\/node1 out/ },
  },
  {
    id: 'router/answers-for-a-sibling',
    of: 'network',
    imitates: 'a router that answers for a private sibling, and passes on what it gets (proxy ARP)',
    injections: [
      {
        way: 'wired',
        script:
          "in_stack router sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth1/proxy_arp_pvlan; echo 0 >/proc/sys/net/ipv4/neigh/eth1/proxy_delay'",
      },
    ],
    experiments: ['A1.2'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to ns2 .* to be lost/ },
  },
  {
    id: 'router/a-way-back-that-nobody-made',
    of: 'network',
    imitates: 'a container that has a default route although none was set',
    injections: [
      {
        way: 'behind',
        command: /^ip -n node1-ns1 link set dev mac1 up/,
        script: 'ip -n node1-ns1 route add default via 192.168.1.1',
      },
    ],
    experiments: ['A4.5'],
    expected: { verdict: 'failed', reason: /expected the ping from client to ns1 .* to stay unanswered there/ },
  },
];
