/** What may be wrong on the way between two machines: frames that are lost, changed, doubled, late, or from somebody else. */
import { frames, type Sabotage } from '../sabotage.js';

/** Requests of article 1's first container to the other host, and what comes back: other ways still work, as controls must. */
const [ns1, node2] = ['10.211.55.101', '10.211.55.10'];
const request = `ip saddr ${ns1} ip daddr ${node2} icmp type echo-request`;
const reply = `ip saddr ${node2} ip daddr ${ns1} icmp type echo-reply`;
const toOtherHost = ['A1.1 bridge: ns1 reaches'];

export const wires: readonly Sabotage[] = [
  {
    id: 'wires/arp-reply-dropped',
    of: 'network',
    imitates: 'a host whose ARP replies to one container are lost',
    attacks: [frames('node2', 'eth1', 'egress', `arp operation reply arp daddr ip ${ns1} drop`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /ARP request arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/arp-answered-by-a-stranger',
    of: 'network',
    imitates: 'a gateway that has the other host’s address as well, and answers in its stead',
    attacks: [
      { way: 'wired', script: `ip -n router address add ${node2}/32 dev eth1; ip -n node2 link set dev eth1 arp off` },
    ],
    experiments: ['A1.1 bridge: ns1 reaches the other host'],
    expected: { verdict: 'failed', reason: /somebody else answered: node2 was never sent the request/ },
  },
  {
    id: 'wires/arp-reply-names-another-mac',
    of: 'network',
    imitates: 'an ARP reply that names a MAC which nobody has',
    attacks: [
      frames(
        'node2',
        'eth1',
        'egress',
        `arp operation reply arp daddr ip ${ns1} arp saddr ether set 02:00:00:00:00:77`,
      ),
    ],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /addressed to 02:00:00:00:00:77/ },
  },
  {
    id: 'wires/replies-from-another-mac',
    of: 'network',
    imitates: 'echo replies that leave under another MAC than the container’s',
    attacks: [frames('node2', 'eth1', 'egress', 'icmp type echo-reply ether saddr set 02:00:00:00:00:77')],
    experiments: ['A3'],
    expected: { verdict: 'failed', reason: /expected echo reply .* source .* to be seen at switch\/node2 in/ },
  },
  {
    id: 'wires/request-never-leaves',
    of: 'network',
    imitates: 'a parent that drops what one child sends to one host',
    attacks: [frames('node1', 'eth1', 'egress', `${request} drop`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo request last seen at node1\/ns1\/eth0, never at switch\/node1 in/ },
  },
  {
    id: 'wires/request-lost-in-the-host',
    of: 'network',
    imitates: 'a host that takes no echo request of one container',
    attacks: [frames('node2', 'eth1', 'ingress', `${request} drop`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo request arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/reply-lost-in-the-switch',
    of: 'network',
    imitates: 'a switch that loses replies to one container',
    attacks: [frames('switch', 'node1', 'egress', `${reply} drop`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo reply last seen at switch\/node2 in, never at switch\/node1 out/ },
  },
  {
    id: 'wires/reply-lost-in-the-parent',
    of: 'network',
    imitates: 'a parent that does not hand a reply to its child',
    attacks: [frames('node1', 'eth1', 'ingress', `${reply} drop`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo reply last seen at switch\/node1 out, never at node1\/ns1\/eth0/ },
  },
  {
    id: 'wires/every-second-frame-lost',
    of: 'network',
    imitates: 'a way on which every second echo request is lost',
    attacks: [frames('node2', 'eth1', 'ingress', `ip saddr ${ns1} icmp type echo-request numgen inc mod 2 0 drop`)],
    experiments: ['A1.5 bridge'],
    expected: { verdict: 'failed', reason: /echo request arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/sent-to-the-wrong-port',
    of: 'network',
    imitates: 'a switch that sends a frame out of another port than the one it is for',
    attacks: [frames('switch', 'node1', 'ingress', `${request} fwd to "router"`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo request last seen at switch\/node1 in, never at switch\/node2 out/ },
  },
  {
    id: 'wires/cut-in-one-direction',
    of: 'network',
    imitates: 'a cable that carries nothing from one host to the switch',
    attacks: [frames('node2', 'eth1', 'egress', 'drop')],
    experiments: ['A1.1 bridge: ns1 reaches the other host'],
    // Nobody reaches that host: the lab is broken, and nothing is said about macvlan.
    expected: { verdict: 'error', reason: /CONTROL_FAILED: the positive control did not pass: router to node2/ },
  },
  {
    id: 'wires/unplugged-meanwhile',
    of: 'network',
    imitates: 'a host’s uplink that goes down while a test uses it',
    attacks: [
      { way: 'behind', command: /^ip -n node1-ns1 link set dev eth0 up/, script: 'ip -n node2 link set dev eth1 down' },
    ],
    experiments: ['A1.1 bridge: ns1 reaches the other host'],
    expected: { verdict: 'error', reason: /(CONTROL_FAILED|CAPTURE_ENDED): .* node2/ },
  },
  {
    id: 'wires/frames-doubled',
    of: 'network',
    imitates: 'a switch that sends echo requests twice',
    attacks: [frames('switch', 'node2', 'egress', 'icmp type echo-request dup to "node2"')],
    experiments: ['A3'],
    expected: {
      verdict: 'failed',
      reason: /echo request .* to be seen 1 times at node2\/docker2\/macvlan1, it was seen/,
    },
  },
  {
    id: 'wires/reflected-twice',
    of: 'network',
    imitates: 'a hairpin port that reflects each frame twice',
    attacks: [frames('switch', 'node1', 'egress', 'icmp type echo-request dup to "node1"')],
    experiments: ['A0.6', 'A1.4'],
    expected: { verdict: 'failed', reason: /echo request .* to be seen 1 times at switch\/node1 out, it was seen/ },
  },
  {
    id: 'wires/frames-delayed',
    of: 'network',
    imitates: 'a switch that keeps a frame for seconds, while others overtake it',
    attacks: [
      {
        way: 'wired',
        // A class of 200 bits a second: its second echo request waits for what the first has used up.
        script: [
          'in_stack switch tc qdisc add dev node2 root handle 1: htb default 1',
          'in_stack switch tc class add dev node2 parent 1: classid 1:1 htb rate 1gbit',
          'in_stack switch tc class add dev node2 parent 1: classid 1:2 htb rate 200bit burst 1 cburst 1',
        ].join('\n'),
      },
      frames('switch', 'node2', 'egress', `${request} meta priority set 1:2`),
    ],
    experiments: ['A1.5 bridge'],
    expected: { verdict: 'failed', reason: /echo request last seen at switch\/node1 in, never at switch\/node2 out/ },
  },
  {
    id: 'wires/frames-corrupted',
    of: 'network',
    imitates: 'a cable that changes bits of echo requests, so that their checksum is wrong',
    attacks: [frames('node2', 'eth1', 'ingress', `${request} @th,48,16 set 0x1234`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo request arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/mtu-smaller',
    of: 'network',
    imitates: 'a switch port that takes no full-sized frames',
    attacks: [{ way: 'wired', script: 'ip -n switch link set dev node2 mtu 1000' }],
    experiments: ['A3'],
    expected: { verdict: 'failed', reason: /echo request last seen at switch\/node1 in, never at switch\/node2 out/ },
  },
  {
    id: 'wires/ipv6-broken',
    of: 'network',
    imitates: 'a host that hears nothing of one container over IPv6, while IPv4 works',
    attacks: [frames('node2', 'eth1', 'ingress', 'ip6 saddr fd00:211:55::101 drop')],
    experiments: ['X1.3', 'X2.3'],
    expected: { verdict: 'failed', reason: /neighbour solicitation arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/ipv6-doubled',
    of: 'network',
    imitates: 'a switch that sends echo requests twice, of IPv6 alone',
    attacks: [frames('switch', 'router', 'egress', 'icmpv6 type echo-request dup to "router"')],
    experiments: ['X2.6'],
    expected: { verdict: 'failed', reason: /echo request .* to be seen 1 times at router\/eth1, it was seen/ },
  },
  {
    id: 'wires/hop-limit-changed',
    of: 'network',
    imitates: 'a switch that counts as a hop of IPv6',
    attacks: [frames('switch', 'router', 'egress', 'ip6 hoplimit 64 ip6 hoplimit set 63')],
    experiments: ['X2.6'],
    expected: {
      verdict: 'failed',
      reason: /echo request .* ttl 64 .*seen 1 times at router\/eth1, it was seen 0 times/,
    },
  },
  {
    id: 'wires/reply-with-another-number',
    of: 'network',
    imitates: 'a reply whose number is changed on the way, which ping takes for an answer all the same',
    attacks: [frames('node2', 'eth1', 'egress', `${reply} icmp sequence set 4660`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /the reply was from 10\.211\.55\.10, to request 4660 of 1/ },
  },
  {
    id: 'wires/reply-to-another-process',
    of: 'network',
    imitates: 'a reply that is changed on the way, so that it is for nobody',
    attacks: [frames('node2', 'eth1', 'egress', `${reply} icmp id set 4660`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /echo reply arrived at node1\/ns1\/eth0, and ping was not given it/ },
  },
  {
    id: 'wires/reply-from-another-address',
    of: 'network',
    imitates: 'a host that answers from another address than the one that was asked',
    attacks: [frames('node2', 'eth1', 'egress', `${reply} ip saddr set 10.211.55.99`)],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /the reply was from 10\.211\.55\.99, to request 1 of 1/ },
  },
  {
    id: 'wires/multicast-dropped',
    of: 'network',
    imitates: 'a parent that sends no multicast of its children',
    attacks: [frames('node1', 'eth1', 'egress', 'ip daddr 224.0.0.1 drop')],
    experiments: ['X3.1 bridge, hairpin off', 'X3.1 private, hairpin off'],
    expected: { verdict: 'failed', reason: /expected echo request .* to be seen at switch\/node1 in/ },
  },
  {
    id: 'wires/nothing-for-the-tap',
    of: 'network',
    imitates: 'a parent that hands no ARP reply to a macvtap',
    attacks: [frames('node1', 'eth1', 'ingress', 'arp operation reply arp daddr ip 192.168.7.50 drop')],
    experiments: ['A2.8 what is written'],
    expected: { verdict: 'failed', reason: /the answer at the character device/ },
  },
  {
    id: 'wires/neighbour-stale',
    of: 'network',
    imitates: 'a container that believes to know the other host’s MAC, and does not',
    attacks: [
      {
        way: 'behind',
        command: /^ip -n node1-ns1 link set dev eth0 up/,
        script: `ip -n node1-ns1 neighbour replace ${node2} lladdr 02:00:00:00:00:99 dev eth0 nud permanent`,
      },
    ],
    experiments: toOtherHost,
    expected: { verdict: 'failed', reason: /addressed to 02:00:00:00:00:99/ },
  },
];
