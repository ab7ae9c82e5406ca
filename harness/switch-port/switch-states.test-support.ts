/** States of a switch port, made on a lab's Linux bridge with bridge options, nftables and queues; and the expected answer for each. */
import type { MacRange } from './mac-range.js';

/** The names and addresses for the commands of a state. */
export interface StateTools {
  /** The switch's port under test, and that of the peer. */
  port: string;
  peerPort: string;
  /** The MAC address of the NIC at the port. */
  nicMac: string;
  /** The range of the children's addresses; in real runs it is random. */
  macs: MacRange;
  /** How many of the range's bytes to use: all four, or the two that all runs have in common. */
  known?: 2;
}

export interface SwitchState {
  name: string;
  /** Whether node2 is the peer, in addition to the router as the gateway. */
  peer?: boolean;
  /** How many MAC addresses the port may learn besides the NIC's own; default 2. */
  maxMacs?: 1;
  /** How many further frames the host may send per second of the test: replies to copies of other hosts' requests. */
  repliesPerSecond?: number;
  /** Whether the state needs nftables. */
  nft?: true;
  /** Commands on the switch, in order; words separated by single spaces. */
  commands(tools: StateTools): readonly (string | readonly string[])[];
  /** A shell script that runs on a node during the test of the port. */
  meanwhile?(tools: StateTools): readonly ['switch' | 'machine', string];
  /** The expected last line. */
  answer: RegExp;
  cause?: string;
  /** An expected remark. */
  remark?: RegExp;
}

const hairpin = (port: string) => `bridge link set dev ${port} hairpin on`;
const isolated = (port: string) => `bridge link set dev ${port} isolated on`;

/** Commands for a table of nftables at one of a port's hooks; it ends with the lab. */
function hook(
  port: string,
  direction: 'ingress' | 'egress',
  ...rules: readonly string[]
): readonly (readonly string[])[] {
  const table = `t${direction}`;
  return [
    ['nft', 'add', 'table', 'netdev', table],
    ['nft', `add chain netdev ${table} c { type filter hook ${direction} device ${port} priority 0; }`],
    ...rules.map((rule) => ['nft', `add rule netdev ${table} c ${rule}`]),
  ];
}

/** Frames of the children. */
const ours = (tools: StateTools) => `ether saddr ${inRange(tools)}`;
const toOurs = (tools: StateTools) => `ether daddr ${inRange(tools)}`;

function inRange({ macs, known }: StateTools): string {
  return known === 2
    ? `& ff:ff:00:00:00:00 == ${macs.slice(0, 5)}:00:00:00:00`
    : `& ff:ff:ff:ff:00:00 == ${macs}:00:00`;
}

export const switchStates: readonly SwitchState[] = [
  { name: 'plain', commands: () => [], answer: /^does not reflect$/ },
  { name: 'hairpin', commands: (tools) => [hairpin(tools.port)], answer: /^reflects$/ },
  {
    name: 'hairpin, seen from a peer as well',
    peer: true,
    commands: (tools) => [hairpin(tools.port)],
    answer: /^reflects$/,
  },
  { name: 'isolated, with a gateway alone', commands: (tools) => [isolated(tools.port)], answer: /^does not reflect$/ },
  {
    name: 'isolated, with a peer that is isolated as well',
    peer: true,
    commands: (tools) => [isolated(tools.port), isolated(tools.peerPort)],
    answer: /^does not reflect$/,
    cause: 'port isolation',
  },
  {
    name: 'hairpin and isolated',
    commands: (tools) => [hairpin(tools.port), isolated(tools.port)],
    answer: /^does not reflect$/,
  },
  {
    name: 'hairpin and isolated, with a peer that is isolated as well',
    peer: true,
    commands: (tools) => [hairpin(tools.port), isolated(tools.port), isolated(tools.peerPort)],
    answer: /^does not reflect$/,
    cause: 'port isolation',
  },
  {
    name: 'room for two MAC addresses',
    nft: true,
    commands: (tools) => macLimit(tools.port, 2),
    answer: /^cannot tell: the port takes no frames of child 2, .* MAC limit/,
    cause: 'MAC limit',
  },
  {
    name: 'hairpin, and room for two MAC addresses',
    nft: true,
    commands: (tools) => [hairpin(tools.port), ...macLimit(tools.port, 2)],
    answer: /^reflects only for child 1: .*MAC limit/,
    cause: 'MAC limit',
  },
  {
    name: 'only the NIC’s own MAC address',
    commands: (tools) => [
      `bridge fdb replace ${tools.nicMac} dev ${tools.port} master static`,
      `bridge link set dev ${tools.port} locked on`,
    ],
    answer: /^cannot tell: only the NIC’s own MAC address passes/,
    cause: 'foreign MACs dropped',
  },
  {
    name: 'a virtual switch that lets foreign addresses out, and nothing back in to them',
    nft: true,
    peer: true,
    commands: (tools) => hook(tools.port, 'egress', `${toOurs(tools)} drop`),
    answer: /^cannot tell: only the NIC’s own MAC address passes, their frames go out/,
    cause: 'foreign MACs dropped',
  },
  {
    name: 'broadcasts of the children dropped',
    nft: true,
    commands: (tools) => hook(tools.port, 'ingress', `${ours(tools)} ether daddr ff:ff:ff:ff:ff:ff drop`),
    answer: /^cannot tell: unicast frames of children are answered and broadcasts are not: storm control/,
    cause: 'storm control',
  },
  {
    name: 'all broadcasts dropped, with a peer',
    nft: true,
    peer: true,
    commands: (tools) => hook(tools.port, 'ingress', 'ether daddr ff:ff:ff:ff:ff:ff drop'),
    answer: /^cannot tell: unicast frames of children are answered and broadcasts are not: storm control/,
    cause: 'storm control',
  },
  {
    name: 'hairpin, and storm control of broadcasts',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      // two of them are the children's ARP requests for the gateway
      ...hook(
        tools.port,
        'egress',
        `${ours(tools)} ether daddr ff:ff:ff:ff:ff:ff limit rate over 4/minute burst 3 packets drop`,
      ),
    ],
    answer: /^reflects only some frames \(.*of \d broadcast.*storm control/,
    cause: 'storm control',
  },
  {
    name: 'hairpin, and frames are changed on their way back',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      ...hook(tools.port, 'egress', 'icmp type echo-request ip ttl 1 ip ttl set 9'),
    ],
    answer: /^reflects only changed frames \(.*TTL: 1 sent, 9 returned/,
  },
  {
    name: 'hairpin, and a NIC that takes frames for its own MAC address alone, unless it is promiscuous',
    nft: true,
    commands: (tools) => [hairpin(tools.port)],
    meanwhile: filteringNic,
    answer: /^reflects only to a NIC that is promiscuous/,
    cause: 'NIC filter',
  },
  {
    name: 'a NIC that takes frames for its own MAC address alone, unless it is promiscuous',
    nft: true,
    commands: () => [],
    meanwhile: filteringNic,
    answer: /^cannot tell: the NIC gives children their frames only while it is promiscuous$/,
    cause: 'NIC filter',
  },
  {
    name: 'a packet filter of the host drops what is for children',
    nft: true,
    commands: () => [],
    meanwhile: (tools) => ['machine', filterOfHost(tools)],
    answer: /^cannot tell: answers to the children arrive at the NIC, and the host does not hand them on$/,
    cause: 'host filter',
  },
  {
    name: 'plain, and a gateway that answers no echo',
    commands: () => [],
    meanwhile: () => ['machine', noEchoes],
    answer: /^does not reflect$/,
  },
  {
    name: 'hairpin, and a gateway that answers nothing at all',
    commands: (tools) => [hairpin(tools.port)],
    meanwhile: () => ['machine', 'ip -n router link set dev eth1 arp off'],
    answer: /^reflects$/,
  },
  {
    name: 'every frame doubled on its way back',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      ...hook(tools.port, 'egress', 'meta mark 1 accept', `${ours(tools)} meta mark set 1 dup to ${tools.port}`),
    ],
    answer: /^cannot tell: up to 2 copies of one frame come back: a loop/,
    cause: 'a loop or a mirror',
  },
  {
    name: 'hairpin, and a port that mirrors itself',
    nft: true,
    commands: (tools) => [hairpin(tools.port), ...hook(tools.port, 'ingress', `dup to ${tools.port}`)],
    answer: /^cannot tell: up to 2 copies of one frame come back: a loop/,
    cause: 'a loop or a mirror',
  },
  {
    name: 'a loop in the switch, as fast as 512 kbit/s are',
    commands: () => [
      'ip link add name loop1 type veth peer name loop2',
      ...['loop1', 'loop2'].flatMap((name) => [
        `tc qdisc add dev ${name} root tbf rate 512kbit burst 1600 limit 20000`,
        `ip link set dev ${name} master br0`,
        `ip link set dev ${name} up`,
      ]),
    ],
    repliesPerSecond: 200,
    answer: /^cannot tell: \d+ frames came back for the few that were sent: a loop$/,
    cause: 'a loop or a mirror',
  },
  {
    name: 'a hub: all frames come back once',
    nft: true,
    commands: (tools) => hook(tools.port, 'ingress', `dup to ${tools.port}`),
    answer: /^cannot tell: even frames for others come back/,
    cause: 'a loop or a mirror',
  },
  {
    name: 'all that is flooded comes back, as by a second cable',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      ...hook(tools.port, 'egress', `${ours(tools)} ether daddr ${tools.macs}:00:02 drop`),
    ],
    answer: /^reflects only unicast to an unknown address, broadcast, IPv4 multicast and IPv6 neighbour solicitation$/,
  },
  {
    name: 'hairpin for broadcast alone',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      ...hook(tools.port, 'egress', `${ours(tools)} ether daddr != ff:ff:ff:ff:ff:ff drop`),
    ],
    answer: /^reflects only broadcast$/,
  },
  {
    name: 'hairpin for broadcast and multicast alone',
    nft: true,
    commands: (tools) => [
      hairpin(tools.port),
      ...hook(tools.port, 'egress', `${ours(tools)} ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 drop`),
    ],
    answer: /^reflects only broadcast, IPv4 multicast and IPv6 neighbour solicitation$/,
  },
  {
    name: 'hairpin for unicast alone (bcast_flood, mcast_flood off)',
    commands: (tools) => [
      hairpin(tools.port),
      `bridge link set dev ${tools.port} bcast_flood off`,
      `bridge link set dev ${tools.port} mcast_flood off`,
    ],
    answer: /^reflects only unicast to a learned address and unicast to an unknown address$/,
  },
  {
    name: 'hairpin for all but unknown unicast (flood off)',
    commands: (tools) => [hairpin(tools.port), `bridge link set dev ${tools.port} flood off`],
    answer: /^reflects only unicast to a learned address, broadcast, IPv4 multicast and IPv6 neighbour solicitation$/,
  },
  {
    name: 'hairpin, slow: a tenth of a second and more for a frame',
    // This burst is less than a request, its copy and both replies (182 bytes), so that these wait even if the port was
    // idle before.
    commands: (tools) => [
      hairpin(tools.port),
      `tc qdisc add dev ${tools.port} root tbf rate 5kbit burst 100 limit 60000`,
    ],
    answer: /^reflects$/,
    remark: /^answers take up to \d+ ms/,
  },
  {
    name: 'plain, slow',
    commands: (tools) => [`tc qdisc add dev ${tools.port} root tbf rate 2kbit burst 100 limit 60000`],
    answer: /^does not reflect$/,
    remark: /^answers take up to \d+ ms/,
  },
  {
    name: 'hairpin, held back by spanning tree at first',
    commands: (tools) => [hairpin(tools.port), ...spanningTree(tools.port)],
    answer: /^reflects$/,
    remark: /^nothing was answered for the first \d+ s: spanning tree/,
  },
  {
    name: 'blocked by spanning tree',
    nft: true,
    commands: (tools) => [
      ...spanningTree(tools.port),
      // nothing passes, as at a port that is the second path to the root
      ...hook(tools.port, 'ingress', 'drop'),
    ],
    answer: /^cannot tell: nothing passes for \d+ s, and the switch speaks spanning tree/,
    cause: 'spanning tree',
  },
  {
    name: 'nothing passes',
    nft: true,
    commands: (tools) => hook(tools.port, 'ingress', 'drop'),
    answer: /^cannot tell: the gateway 10\.0\.0\.254 answers nobody/,
    cause: 'nobody answers',
  },
  {
    name: 'the port is shut down when it learns a second child',
    commands: () => [],
    meanwhile: downAtSecondChild,
    answer: /^cannot tell: the port went down/,
    cause: 'port down',
  },
  {
    name: 'the port is shut down when it learns a second child, and may learn one',
    maxMacs: 1,
    commands: () => [],
    meanwhile: downAtSecondChild,
    answer: /^does not reflect$/,
    remark: /^unicast to a learned address was not tried/,
  },
  {
    name: 'hairpin, the port is shut down when it learns a second child, and may learn one',
    maxMacs: 1,
    commands: (tools) => [hairpin(tools.port)],
    meanwhile: downAtSecondChild,
    answer: /^reflects only unicast to an unknown address, broadcast, IPv4 multicast and IPv6 neighbour solicitation$/,
    remark: /^unicast to a learned address was not tried/,
  },
  {
    name: 'only the NIC’s own MAC address, and the port may learn one',
    maxMacs: 1,
    commands: (tools) => [
      `bridge fdb replace ${tools.nicMac} dev ${tools.port} master static`,
      `bridge link set dev ${tools.port} locked on`,
    ],
    answer: /^cannot tell: only the NIC’s own MAC address passes/,
    cause: 'foreign MACs dropped',
    remark: /^unicast to a learned address was not tried/,
  },
];

/** Port security that shuts the port down. */
function downAtSecondChild({ port, macs }: StateTools): readonly ['switch', string] {
  const learned = `bridge fdb show dev ${port} | grep -q '^${macs}:00:02 '`;
  return ['switch', `until ${learned}; do sleep 0.01; done; ip link set dev ${port} down`];
}

/** The port starts again, in listening. */
const spanningTree = (port: string) => [
  'ip link set dev br0 type bridge stp_state 1 forward_delay 400',
  `ip link set dev ${port} down`,
  `ip link set dev ${port} up`,
];

/** Only the first addresses pass, including the NIC's own. */
function macLimit(port: string, count: number): readonly (readonly string[])[] {
  return [
    ['nft', 'add', 'table', 'bridge', 'few'],
    ['nft', `add set bridge few macs { type ether_addr; size ${count}; flags dynamic; }`],
    ['nft', 'add chain bridge few c { type filter hook prerouting priority -300; }'],
    ['nft', `add rule bridge few c iifname ${port} ether saddr @macs accept`],
    ['nft', `add rule bridge few c iifname ${port} add @macs { ether saddr } accept`],
    ['nft', `add rule bridge few c iifname ${port} drop`],
  ];
}

/**
 * Acts as a NIC that filters frames by their address: the link peer port at the switch drops frames for children,
 * unless the NIC is promiscuous. Its children make it promiscuous once, since a veth has no filter by address. A
 * capture makes it promiscuous a second time.
 */
function filteringNic(tools: StateTools): readonly ['machine', string] {
  const nft = 'nsenter --net=/run/netns/switch nft';
  const drop = `${toOurs(tools)} drop`;
  const script = [
    `filter() { ${nft} add table netdev own; ${nft} "add chain netdev own c { type filter hook egress device ${tools.port} priority 0; }"; ${nft} "add rule netdev own c ${drop}"; }`,
    'filter',
    'on=1',
    'while :; do',
    `  case $(ip -n node1 -d -o link show dev eth1) in`,
    '  *promiscuity\\ [01]\\ *) [ $on = 1 ] || { filter; on=1; };;',
    `  *) [ $on = 0 ] || { ${nft} delete table netdev own; on=0; };;`,
    '  esac',
    '  sleep 0.02',
    'done',
  ];
  return ['machine', script.join('\n')];
}

/** A filter after the capture point, like a host's own. */
function filterOfHost(tools: StateTools): string {
  const nft = 'nsenter --net=/run/netns/node1 nft';
  return [
    `${nft} add table netdev own`,
    `${nft} "add chain netdev own c { type filter hook ingress device eth1 priority 0; }"`,
    `${nft} "add rule netdev own c ${toOurs(tools)} drop"`,
  ].join('\n');
}

const noEchoes = 'nsenter --net=/run/netns/router sh -c "echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all"';
