/**
 * The list of kernel features. Each feature is a command, its preparation, and the place that shows afterwards whether
 * the command had an effect. Commands run in this order, those of ip before those of bridge, in an otherwise empty
 * namespace: "v1" is one end of a cable, "v1x" the other.
 */

/** A feature, and the command that tries it. */
export interface ProbedFeature {
  /** "hairpin"; unique. */
  name: string;
  /** Its group: "bridge port". */
  group: string;
  /** Commands that prepare for it. The same command runs once, for all features that name it. */
  given: readonly string[];
  command: string;
  shows: Shown;
  source: Source;
}

/** The link that shows a feature, the path in what {@link Source} shows about that link, and the value that was not there before. */
type Shown = readonly [link: string, at: string, value: unknown];

/** Where a feature is read back: links from ip; or from bridge the ports, their VLANs, or the addresses that a link's filter accepts. */
export type Source = 'links' | 'ports' | 'vlans' | 'filters';

type Row = Omit<ProbedFeature, 'group'>;

function row(name: string, given: readonly string[], command: string, shows: Shown, source: Source = 'links'): Row {
  return { name, given, command, shows, source };
}

const device = (name: string): string => {
  const pair = name.replace(/x$/, '');
  return `ip link add name ${pair} type veth peer name ${pair}x`;
};
const bridge = (name: string) => `ip link add name ${name} type bridge`;
const add = (name: string, parent: string, words: string) => `ip link add link ${parent} name ${name} type ${words}`;
const set = (link: string, words: string) => `ip link set dev ${link} ${words}`;
const port = (name: string, of: string) => [device(name), bridge(of), set(name, `master ${of}`)];
const child = (name: string, on: string, mode: string) => [device(on), add(name, on, `macvlan mode ${mode}`)];

/** The paths of a link's own attributes, and of its attributes as a bridge port. */
const own = (key: string) => `linkinfo.info_data.${key}`;
const asPort = (key: string) => `linkinfo.info_slave_data.${key}`;

const [one, two] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];

/** Options of a new child. A child in mode passthru must be alone on its parent. */
const options = (
  [
    ['mode private', 'v1', 'mode private', 'mode', 'private'],
    ['mode vepa', 'v1', 'mode vepa', 'mode', 'vepa'],
    ['mode bridge', 'v1', 'mode bridge', 'mode', 'bridge'],
    ['mode passthru', 'v2', 'mode passthru', 'mode', 'passthru'],
    ['mode source', 'v1', 'mode source', 'mode', 'source'],
    ['nopromisc', 'v2x', 'mode passthru nopromisc', 'nopromisc', true],
    ['nodst', 'v1', 'mode source nodst', 'nodst', true],
    ['bcqueuelen', 'v1', 'mode bridge bcqueuelen 77', 'bcqueuelen', 77],
    ['bclim', 'v1', 'mode bridge bclim 3', 'bclim', 3],
  ] as const
).map(([name, parent, words, key, value], index) =>
  row(name, [device(parent)], add(`new${index}`, parent, `macvlan ${words}`), [`new${index}`, own(key), value]),
);

/** Commands for a child in mode source, which has a list already where the command removes entries. */
const sources = (
  [
    ['add', one, '', 'macaddr_data', [one]],
    ['del', one, `macaddr set ${one} ${two}`, 'macaddr_data', [two]],
    ['set', `${one} ${two}`, '', 'macaddr_data', [one, two]],
    ['flush', '', `macaddr set ${one} ${two}`, 'macaddr_count', 0],
  ] as const
).map(([verb, words, before, key, value]) => {
  const command = set(verb, `type macvlan macaddr ${verb} ${words}`);
  return row(`macaddr ${verb}`, child(verb, 'v1', `source ${before}`), command, [verb, own(key), value]);
});

/** The children of the last two are alone on their parents. */
const modes = (
  [
    ['bridge', 'vepa', 'v1'],
    ['bridge', 'source', 'v1'],
    ['source', 'bridge', 'v1'],
    ['bridge', 'passthru', 'v3'],
    ['passthru', 'bridge', 'v3x'],
  ] as const
).map(([from, to, parent], index) => {
  const command = set(`mode${index}`, `type macvlan mode ${to}`);
  return row(`${from} to ${to}`, child(`mode${index}`, parent, from), command, [`mode${index}`, own('mode'), to]);
});

const plain = child('plain', 'v1', 'bridge');
const lone = child('lone', 'v4', 'passthru');
const busy = [...child('busy', 'v5', 'bridge'), set('v5', `address ${one}`), set('v5', 'up'), set('busy', 'up')];
const quiet = set('lone', 'type macvlan mode passthru nopromisc');
const stray = set('plain', `type macvlan macaddr add ${one}`);
const filter = (mac: string, of: string) => `bridge fdb add ${mac} dev ${of} self`;

const later = [
  row('nopromisc, switched on', lone, quiet, ['lone', own('nopromisc'), true]),
  row('macaddr outside mode source', plain, stray, ['plain', own('macaddr_data'), [one]]),
  row('MAC address', plain, set('plain', `address ${two}`), ['plain', 'address', two]),
  row('MAC address of the parent, while up', busy, set('busy', `address ${one}`), ['busy', 'address', one]),
  // Parent and child always have the same address (macvlan.c, macvlan_set_mac_address).
  row('MAC address of a passthru child, for both', lone, set('lone', `address ${two}`), ['v4', 'address', two]),
  row('MTU above the parent’s', plain, set('plain', 'mtu 9000'), ['plain', 'mtu', 9000]),
  row('protodown', plain, set('plain', 'protodown on'), ['plain', 'proto_down', true]),
  ...(
    [
      ['unicast filter of a passthru child', lone, 'lone', '02:00:00:00:00:07'],
      ['unicast filter of another child', plain, 'plain', '02:00:00:00:00:07'],
      ['multicast filter', plain, 'plain', '01:00:5e:00:00:07'],
    ] as const
  ).map(([name, given, link, mac]) => row(name, given, filter(mac, link), [link, mac, 'self'], 'filters')),
];

const first = child('first', 'v1', 'bridge');
const only = child('only', 'v6', 'passthru');
const tagged = [device('v6x'), add('v6x.5', 'v6x', 'vlan id 5')];
const macvlan = 'macvlan mode bridge';

/** The possible parents, neighbours and masters of a child. */
const places = [
  row('second child beside a passthru one', only, add('second', 'v6', macvlan), ['second', 'link', 'v6']),
  row('passthru beside another child', first, add('alone', 'v1', 'macvlan mode passthru'), ['alone', 'link', 'v1']),
  // The kernel creates it on the other macvlan's parent (macvlan.c, macvlan_common_newlink).
  row('on another macvlan, put on its parent', first, add('nested', 'first', macvlan), ['nested', 'link', 'v1']),
  row('on a VLAN sub-interface', tagged, add('behind', 'v6x.5', macvlan), ['behind', 'link', 'v6x.5']),
  row('on a bridge', [bridge('br2')], add('atop', 'br2', macvlan), ['atop', 'link', 'br2']),
  row('on a bridge’s port', port('v7', 'br0'), add('onport', 'v7', macvlan), ['onport', 'link', 'v7']),
  row('on the loopback device', [], add('onlo', 'lo', macvlan), ['onlo', 'link', 'lo']),
  row('child as a bridge’s port', [...first, bridge('br0')], set('first', 'master br0'), ['first', 'master', 'br0']),
  row('parent as a bridge’s port', [...first, bridge('br0')], set('v1', 'master br0'), ['v1', 'master', 'br0']),
];

/** All ipvlans of a device share mode and flags, so that each has its own device. */
const ipvlans = (
  [
    ['mode l2', 'v8', 'mode', 'l2'],
    ['mode l3', 'v8x', 'mode', 'l3'],
    ['mode l3s', 'v9', 'mode', 'l3s'],
    ['mode l2 private', 'v9x', 'private', true],
    ['mode l2 vepa', 'v10', 'vepa', true],
  ] as const
).map(([words, on, key, value]) =>
  row(`ipvlan ${words}`, [device(on)], add(`ip${on}`, on, `ipvlan ${words}`), [`ip${on}`, own(key), value]),
);

/** Flags that are on by default are switched off. */
const flags = [
  ...['hairpin on', 'isolated on', 'learning off', 'flood off', 'mcast_flood off', 'bcast_flood off'],
  ...['mcast_to_unicast on', 'neigh_suppress on', 'neigh_vlan_suppress on', 'guard on', 'root_block on'],
  ...['fastleave on', 'vlan_tunnel on', 'locked on'],
].map((words) => {
  const [flag = '', state] = words.split(' ');
  const shows = ['v11', asPort(flag), state === 'on'] as const;
  return row(flag + (state === 'on' ? '' : ' off'), port('v11', 'br0'), `bridge link set dev v11 ${words}`, shows);
});

const ports = [
  ...flags,
  ...['proxy_arp', 'proxy_arp_wifi'].map((flag) =>
    // Only ip(8) has a keyword for these.
    row(flag, port('v11', 'br0'), set('v11', `type bridge_slave ${flag} on`), ['v11', asPort(flag), true]),
  ),
  // The kernel requires both at once, and learning (br_netlink.c, br_setport).
  row('mab', port('v11x', 'br0'), 'bridge link set dev v11x locked on mab on', ['v11x', asPort('mab'), true]),
  ...(
    [
      ['mcast_max_groups 5', 'mcast_max_groups', 5],
      ['hwmode vepa', 'hwmode', 'VEPA'],
    ] as const
  ).map(([words, key, value]) =>
    row(words, port('v11', 'br0'), `bridge link set dev v11 ${words}`, ['v11', key, value], 'ports'),
  ),
  ...(
    [
      ['VLAN, tagged', '20', ''],
      ['VLAN, native', '21 pvid untagged', 'PVID, Egress Untagged'],
    ] as const
  ).map(([name, words, shown]) => {
    const command = `bridge vlan add dev v11 vid ${words}`;
    return row(name, port('v11', 'br0'), command, ['v11', words.slice(0, 2), shown], 'vlans');
  }),
];

/** As printed after creation; each has another default. */
const settings = Object.entries({
  // To be set while VLAN filtering is off.
  ...{
    vlan_default_pvid: 7,
    vlan_filtering: 1,
    vlan_protocol: '802.1ad',
    vlan_stats_enabled: 1,
    mcast_vlan_snooping: 1,
  },
  ...{ mcast_querier: 1, mcast_snooping: 0, mst_enabled: 1, no_linklocal_learn: 1, stp_state: 1, fdb_max_learned: 100 },
  // Bit 14 forwards LLDP (IEEE 802.1AB, 7.1).
  group_fwd_mask: '0x4000',
}).map(([key, value]) =>
  row(`${key} ${value}`, [bridge('br1')], set('br1', `type bridge ${key} ${value}`), ['br1', own(key), value]),
);

const tags = [device('v12')];
const outer = add('v12.6', 'v12', 'vlan protocol 802.1ad id 6');
const vlans = [
  row('802.1Q', tags, add('v12.5', 'v12', 'vlan id 5'), ['v12.5', own('id'), 5]),
  row('802.1ad', tags, add('v12.7', 'v12', 'vlan protocol 802.1ad id 7'), ['v12.7', own('protocol'), '802.1ad']),
  row('802.1Q within 802.1ad', [...tags, outer], add('v12.6.5', 'v12.6', 'vlan id 5'), ['v12.6.5', 'link', 'v12.6']),
  row('802.1Q on a macvlan', plain, add('plain.5', 'plain', 'vlan id 5'), ['plain.5', 'link', 'plain']),
];

const address = 'ip address add 2001:db8::1/64 dev v13 nodad';

const groups: Readonly<Record<string, readonly Row[]>> = {
  macvlan: options,
  'macvlan, sources': sources,
  'macvlan, later': [...modes, ...later],
  'macvlan, place': places,
  macvtap: [row('macvtap', [device('v1')], add('tap', 'v1', 'macvtap mode bridge'), ['tap', own('mode'), 'bridge'])],
  ipvlan: [
    ...ipvlans,
    row('ipvlan beside a macvlan', first, add('ipbeside', 'v1', 'ipvlan mode l2'), ['ipbeside', 'link', 'v1']),
  ],
  'bridge port': ports,
  bridge: settings,
  'VLAN sub-interface': vlans,
  IPv6: [row('IPv6 address', [device('v13')], address, ['v13', 'addr_info.local', ['2001:db8::1']])],
};

/** All features, group by group. */
export const probedFeatures: readonly ProbedFeature[] = Object.entries(groups).flatMap(([group, rows]) =>
  rows.map((each) => ({ group, ...each })),
);
