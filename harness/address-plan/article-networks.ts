/** The networks of the articles, and of the open questions: they contain all addresses of the suites. */

/** A network as written in the suites. */
export interface ArticleNetwork {
  /** In CIDR form. */
  network: string;
  /** All of its addresses that suites use; absent for IPv6, where a network is a /64. */
  hosts: readonly string[];
}

/** Experiments with a common set-up, and the networks that they use at the same time. */
export interface ArticlePlan {
  /** The beginnings of their ids: "A1" is all of an article, "A2.8" one row. */
  experiments: readonly string[];
  networks: readonly ArticleNetwork[];
  /** Set where they write whole frames, so that their networks cannot be mapped. */
  asWritten?: true;
}

/** @param hosts the ends of their addresses, after `beginning` */
function ipv4(network: string, beginning: string, ...hosts: (number | string)[]): ArticleNetwork {
  return { network, hosts: hosts.map((host) => `${beginning}.${host}`) };
}

const ipv6 = (network: string): ArticleNetwork => ({ network, hosts: [] });

const introduction = ipv4('192.168.8.0/24', '192.168.8', 1, 110, 111, 120, 121);
const first = ipv4('10.211.55.0/24', '10.211.55', 1, 10, 18, 101, 102, 111, 112, 121, 122);
const third = ipv4('192.168.245.0/24', '192.168.245', 1, 168, 172, 180, 181);
const wide = ipv4('192.168.0.0/16', '192.168', '1.1', ...['9', '10', '12', '13', '14'].map((host) => `179.${host}`));
const physical = ipv4('192.168.0.0/16', '192.168.0', 1, 11, 12);
const behind = ipv4('10.8.0.0/16', '10.8.0', 1, 241);
const containers = ipv4('172.31.0.0/16', '172.31.0', 1, 11, 12, 101);
const taps = ipv4('192.168.7.0/24', '192.168.7', 1, 11, 12, 50, 60);

/** Article 2's untagged networks, and those of VLANs. */
function trunk(...vlans: number[]): ArticleNetwork[] {
  return [
    ipv4('192.168.1.0/24', '192.168.1', 1, 11, 12, 41, 42),
    ipv4('192.168.2.0/24', '192.168.2', 1, 42),
    ipv6('2001:db8:babe:1::/64'),
    ...vlans.flatMap((vlan) => [
      ipv4(`10.0.${vlan}.0/24`, `10.0.${vlan}`, ...(vlan === 30 ? inAllVlans : inOneVlan)),
      ipv6(`2001:db8:babe:${vlan}::/64`),
    ]),
  ];
}

/** Containers of all VLANs share VLAN 30's network. */
const inAllVlans = [11, 12, 13, 14, 41, 42, 101, 102];
const inOneVlan = [1, 11, 12, 13, 14, 101];

/** A longer beginning of an id has priority over a shorter one. */
export const articlePlans: readonly ArticlePlan[] = [
  { experiments: ['A0'], networks: [introduction] },
  { experiments: ['A1'], networks: [first] },
  { experiments: ['A2', 'X6', 'X7.2', 'X8'], networks: trunk(10, 20, 30) },
  { experiments: ['A2.6'], networks: [physical, containers] },
  { experiments: ['A2.8'], networks: [taps], asWritten: true },
  { experiments: ['A3'], networks: [third] },
  { experiments: ['A4'], networks: [wide, behind] },
  { experiments: ['X1', 'X2', 'X3', 'X4', 'X5'], networks: [first, ipv6('fd00:211:55::/64')] },
  { experiments: ['X7.1'], networks: trunk(10, 20, 30, 40) },
  { experiments: ['X7.3'], networks: trunk(10, 20, 30, 50) },
  { experiments: ['X7.4'], networks: trunk(10, 20, 30, 60) },
];

/** The networks of container engines, which no lab on external hosts runs. */
const ofEngines = ['192.168.9.0/24', '2001:db8:8::/64'];

/**
 * The networks that a default route of the articles' nodes leads to. On an external host, whose own default route
 * stays, routes to these replace it.
 */
export const routedNetworks: readonly string[] = [behind.network, containers.network];

/**
 * Those of them that a suite reaches through a gateway: one used address of each, with its prefix length.
 * @param gateway without prefix length
 */
export function routedBehind(gateway: string): string[] {
  const around = articlePlans.filter(({ networks }) => networks.some(({ hosts }) => hosts.includes(gateway)));
  const behindIt = around.flatMap(({ networks }) => networks).filter(({ network }) => routedNetworks.includes(network));
  return behindIt.map(({ network, hosts: [first = ''] }) => `${first}/${network.split('/')[1]}`);
}

/** All of them, in CIDR form. */
export const articleNetworks: readonly string[] = [
  ...new Set([...articlePlans.flatMap(({ networks }) => networks.map(({ network }) => network)), ...ofEngines]),
];

/**
 * The addresses of a network that are used together with the given one, in a fixed order; empty for a network that no
 * suite uses.
 * @param network in CIDR form
 */
export function hostsWith(address: string, network: string): readonly string[] {
  const same = articlePlans.flatMap(({ networks }) => networks).filter((each) => each.network === network);
  return same.find(({ hosts }) => hosts.includes(address))?.hosts ?? [];
}

/** The plan of an experiment; undefined for one that no lab on external hosts runs. @param id "A2.6" */
export function planOf(id: string): ArticlePlan | undefined {
  const beginning = ({ experiments }: ArticlePlan) =>
    Math.max(0, ...experiments.filter((each) => `${id}.`.startsWith(`${each}.`)).map(({ length }) => length));
  return articlePlans.filter((plan) => beginning(plan) > 0).sort((a, b) => beginning(b) - beginning(a))[0];
}
