/** Routes. */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { parseIpJson } from './link-info.js';

const routeSchema = z.array(
  z.looseObject({ dst: z.string(), gateway: z.string().optional(), dev: z.string().optional() }),
);

export interface Route {
  /** "default" or CIDR. */
  to: string;
  via?: string;
  device?: string;
  /** Of two routes to the same network, the one with the lower metric is used; 0 by default. */
  metric?: number;
}

/** Adds a route; the undo deletes it. */
export function addRoute(stack: NetworkStack, route: Route): Change<string[]> {
  const family = isIpv6(route) ? ['-6'] : [];
  const { to, via, device, metric } = route;
  const words = [
    to,
    ...(via ? ['via', via] : []),
    ...(device ? ['dev', device] : []),
    ...(metric === undefined ? [] : ['metric', String(metric)]),
  ];
  return {
    stack,
    what: `route ${words.join(' ')}`,
    command: ['ip', ...family, 'route', 'add', ...words],
    read: ['ip', '-j', ...family, 'route', 'show'],
    value: routesIn,
    undo: () => ['ip', ...family, 'route', 'delete', ...words],
  };
}

function isIpv6({ to, via }: Route): boolean {
  return `${to}${via ?? ''}`.includes(':');
}

/** Routes as short text: "default via 10.0.0.1 dev eth0". */
function routesIn(output: string): string[] {
  return parseIpJson(output, routeSchema).map(({ dst, gateway, dev }) =>
    [dst, ...(gateway ? ['via', gateway] : []), ...(dev ? ['dev', dev] : [])].join(' '),
  );
}
