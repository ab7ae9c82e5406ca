/** The networks of the articles, and of what they leave open: all addresses that suites use are in these. */

/** Behind routers only: never on a node's own wire. */
const routed = ['10.8.0.0/16', '172.31.0.0/16'] as const;

/** All of them, in CIDR form. */
export const articleNetworks: readonly string[] = [
  '192.168.8.0/24',
  '192.168.9.0/24',
  '2001:db8:8::/64',
  '10.211.55.0/24',
  'fd00:211:55::/64',
  '192.168.0.0/16',
  '10.0.10.0/24',
  '10.0.20.0/24',
  '10.0.30.0/24',
  '10.0.40.0/24',
  '10.0.50.0/24',
  '10.0.60.0/24',
  '2001:db8:babe::/48',
  ...routed,
];

/** What a default route of the articles' nodes leads to. On somebody's host, whose own default route stays, it is these. */
export const routedNetworks: readonly string[] = routed;
